#include "agent/report/documents/image_stores.h"
#include "agent/report/documents/json_parts.h"
#include "agent/report/documents/listing.h"

namespace imagesweep {
namespace {

using namespace json_parts;

Json AmountJson(const Amount& amount) {
  return {{"images", amount.images}, {"bytes", amount.bytes}};
}

Json TotalsJson(const StoreTotals& totals) {
  Json json = AmountJson(totals.all);
  json["inUse"] = AmountJson(totals.in_use);
  json["pinned"] = AmountJson(totals.pinned);
  json["idle"] = AmountJson(totals.idle);
  return json;
}

Json ImageJson(const ImageStore& store, ImagePos at) {
  const Image& image = store.seen.images[at];
  const Decision& decision = store.decisions[at];
  return {{"id", image.id.text()},
          {"names", NamesJson(image.tags)},
          {"digests", NamesJson(image.digests)},
          {"sizeBytes", image.size_bytes},
          {"use", ToString(UseOf(decision))},
          {"usedBy", UsedByJson(store.seen, decision)}};
}

Json StoreJson(const StoreReading& reading) {
  Json json = {{"endpoint", reading.endpoint},
               {"error", reading.store ? Json(nullptr) : Json(reading.store.error().what)},
               {"runtime", nullptr},
               {"containers", nullptr},
               {"hasKubelet", nullptr},
               {"total", nullptr},
               {"filesystems", nullptr},
               {"images", nullptr},
               {"warnings", Json::array()}};
  if (!reading.store) return json;
  const ImageStore& store = *reading.store;
  json["runtime"] = {{"name", store.runtime.name},
                     {"version", store.runtime.version},
                     {"endpoint", store.runtime.endpoint}};
  json["containers"] = store.containers;
  json["hasKubelet"] = store.has_kubelet;
  json["total"] = TotalsJson(TotalsOf(store));
  json["filesystems"] = Json::array();
  for (const StoreDisk& disk : store.disks) json["filesystems"].push_back(DiskJson(disk.usage));
  json["images"] = Json::array();
  for (const ImagePos at : AllByName(store.seen)) json["images"].push_back(ImageJson(store, at));
  json["warnings"] = store.warnings;
  return json;
}

Json CopiesJson(const CommonImage& image, std::span<const StoreReading> stores) {
  Json copies = Json::array();
  for (const auto& [at, pos] : image.copies) {
    const ImageStore& store = *stores[at].store;
    const Image& its = store.seen.images[pos];
    copies.push_back({{"store", at},
                      {"id", its.id.text()},
                      {"name", its.display_name()},
                      {"sizeBytes", its.size_bytes},
                      {"use", ToString(UseOf(store.decisions[pos]))}});
  }
  return copies;
}

}  // namespace

std::string StoresJson(const StoresReport& report) {
  Json json = {{"apiVersion", "imagesweep/v1alpha1"},
               {"kind", "ImageStores"},
               {"node", report.node},
               {"observedAt", FormatTime(report.observed_at)},
               {"withoutKubernetes", true},
               {"total", nullptr},
               {"filesystems", nullptr},
               {"inSeveralStores", nullptr},
               {"stores", Json::array()}};
  for (const StoreReading& store : report.stores) json["stores"].push_back(StoreJson(store));
  const auto summary = Summarize(report.stores);
  if (!summary) return Dump(json);
  json["total"] = TotalsJson(summary->totals);
  json["inSeveralStores"] = Json::array();
  for (const CommonImage& image : summary->common)
    json["inSeveralStores"].push_back({{"copies", CopiesJson(image, report.stores)}});
  if (!summary->all_disks_read) return Dump(json);
  json["filesystems"] = Json::array();
  for (const CommonDisk& disk : summary->disks) {
    json["filesystems"].push_back(DiskJson(disk.usage));
    json["filesystems"].back()["stores"] = disk.stores;
  }
  return Dump(json);
}

}  // namespace imagesweep
