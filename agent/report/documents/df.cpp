#include "agent/report/documents/df.h"

#include <nlohmann/json.hpp>

#include "agent/base/quantity.h"
#include "agent/model/image.h"
#include "agent/report/documents/short_names.h"
#include "agent/report/render/printable.h"
#include "agent/report/render/table.h"

namespace imagesweep {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kNotKnown = "not known";

Json ToJson(const SpaceOnDisk& space) {
  return {{"bytes", space.bytes},
          {"inodes", space.inodes},
          {"blobs", space.blobs},
          {"snapshots", space.snapshots}};
}

Json ToJson(const FreedSpace& freed) {
  if (freed.certainty == kNotKnown) return {{"certainty", freed.certainty}, {"why", freed.why}};
  return {{"bytes", freed.space.bytes},   {"inodes", freed.space.inodes},
          {"blobs", freed.space.blobs},   {"snapshots", freed.space.snapshots},
          {"certainty", freed.certainty}, {"why", freed.why}};
}

// For a runtime that does not report layer sizes.
Json BoundsToJson(const DiskUse::ImageSpace& image) {
  return {{"id", image.id},
          {"name", image.name},
          {"names", image.tags},
          {"inUse", image.in_use},
          {"pinned", image.pinned},
          {"runtimeSizeBytes", image.total.bytes},
          {"layers", image.layers == 0 ? Json(nullptr) : Json(image.layers)},
          {"sharedLayers", image.layers == 0 ? Json(nullptr) : Json(image.shared_layers)},
          {"freedBytesAtMost",
           image.freed.certainty == kNotKnown ? Json(nullptr) : Json(image.freed.space.bytes)}};
}

Json ToJson(const DiskUse::ImageSpace& image) {
  return {{"id", image.id},
          {"name", image.name},
          {"names", image.tags},
          {"inUse", image.in_use},
          {"pinned", image.pinned},
          {"totalBytes", image.total.bytes},
          {"uniqueBytes", image.unique.bytes},
          {"sharedBytes", image.total.bytes - image.unique.bytes},
          {"freedBytes", image.freed.space.bytes},
          {"freed", ToJson(image.freed)},
          {"survivingNames", image.survivors}};
}

// The used space that containerd does not account for: its database, logs, and other files.  0 if
// less is used than was counted, because of writes in between or compression (btrfs).
std::uint64_t Rest(std::uint64_t used, std::uint64_t counted) {
  return used > counted ? used - counted : 0;
}

std::string Bound(const FreedSpace& freed) {
  const std::string bytes = HumanBytes(freed.space.bytes);
  return freed.certainty == "exactly" ? bytes : freed.certainty + " " + bytes;
}

std::string AtMost(std::uint64_t bytes) {
  return "\u2264" + HumanBytes(bytes);
}

ShortNames NamesFor(const DiskUse& use, const TextOptions& options) {
  if (options.wide) return ShortNames::Full();
  ShortNames names;
  for (const auto& image : use.images) {
    names.Add(image.name);
    for (const std::string& tag : image.tags) names.Add(tag);
  }
  return names;
}

// The cells of these columns.
std::vector<std::string> Only(const std::vector<std::size_t>& columns,
                              const std::vector<std::string>& cells) {
  std::vector<std::string> only;
  only.reserve(columns.size());
  for (const std::size_t at : columns) only.push_back(cells[at]);
  return only;
}

// For a runtime that does not report layer sizes.
std::string BoundsText(const DiskUse& use, const TextOptions& options) {
  std::string text;
  if (options.with_header) {
    Table accounts({"ACCOUNT", "IMAGES", "SIZE"});
    for (const auto& account : use.accounts)
      accounts.Add({account.name, std::to_string(account.images),
                    use.bounded ? AtMost(account.space.bytes) : ""});
    if (use.disk) accounts.Add({"used on the file system", "", HumanBytes(use.disk->bytes)});
    text = accounts.Render(/*with_header=*/true, options.width) + "\n";
  }
  // One size: the bound if there is one.
  const std::vector<std::size_t> columns = options.wide
                                               ? std::vector<std::size_t>{0, 1, 2, 3, 4, 5, 6, 7}
                                           : use.bounded ? std::vector<std::size_t>{0, 1, 3, 4, 7}
                                                         : std::vector<std::size_t>{0, 1, 2, 3, 4};
  Table images(Only(columns, {"IMAGE", "IN USE", "SIZE", "LAYERS", "OF OTHERS", "UNIQUE", "SHARED",
                              "FREES ALONE"}),
               {{"OF OTHERS", "LAYERS"}, {}});
  const ShortNames names = NamesFor(use, options);
  for (const auto& image : use.images) {
    const bool known = use.bounded && image.freed.certainty != kNotKnown;
    const bool shares = image.layers == 0 || image.shared_layers > 0;
    std::string shared;
    if (known) shared = shares ? AtMost(image.total.bytes) : "0B";
    images.Add(Only(columns, {ShownName(names.Of(image.name)), image.in_use ? "yes" : "no",
                              HumanBytes(image.total.bytes),
                              image.layers == 0 ? "" : std::to_string(image.layers),
                              image.layers == 0 ? "" : std::to_string(image.shared_layers),
                              known ? AtMost(image.freed.space.bytes) : "", shared,
                              known ? AtMost(image.freed.space.bytes) : ""}));
  }
  text += images.Render(options.with_header, options.width);
  if (!options.with_header) return text;
  text += "No exact sizes: " + Printable(use.bounds_only) + ".\n";
  text += use.bounded
              ? "\u2264: upper bound by the sizes of the runtime, which counts shared layers once "
                "per image; 0 if other images have all the layers. Image configurations (a few KiB "
                "each) and partly filled blocks are not included.\n"
              : "SIZE: compressed size of the layers as the runtime reports it. Unpacked layers "
                "are not included, so it is not a bound.\n";
  for (const std::string& warning : use.warnings) text += "Warning: " + Printable(warning) + "\n";
  return text + "OF OTHERS: layers that other images also have.\n";
}

std::string RemovedNames(const DiskUse::Removal& removal) {
  std::string text;
  for (const std::string& name : removal.names) {
    const bool in_use = std::ranges::find(removal.in_use, name) != removal.in_use.end();
    text += "  " + Printable(ShownName(name)) + (in_use ? "  in use: a sweep keeps it" : "") + "\n";
  }
  return text;
}

std::string RemovalText(const DiskUse::Removal& removal) {
  std::string text = "frees ";
  if (removal.freed.certainty == kNotKnown) {
    text += "an unknown amount: " + Printable(removal.freed.why) + "\n";
    return text + RemovedNames(removal);
  }
  if (removal.freed.certainty != "exactly") text += removal.freed.certainty + " ";
  text += HumanBytes(removal.freed.space.bytes) + " (" + std::to_string(removal.freed.space.bytes) +
          " bytes";
  if (removal.freed.space.inodes > 0)  // 0: nothing is freed, or only bounds are known
    text += ", " + std::to_string(removal.freed.space.inodes) + " inodes";
  text += ')';
  if (removal.freed.certainty == "exactly") text += ", exactly";
  if (!removal.freed.why.empty()) text += ": " + removal.freed.why;
  text += '\n';
  return text + RemovedNames(removal);
}

}  // namespace

SpaceOnDisk DiskUse::Counted() const {
  SpaceOnDisk all;
  for (const UsageCategory& account : accounts) {
    all.bytes += account.space.bytes;
    all.inodes += account.space.inodes;
    all.blobs += account.space.blobs;
    all.snapshots += account.space.snapshots;
  }
  return all;
}

namespace {

std::string BoundsJson(const DiskUse& use) {
  const auto bound = [&](std::uint64_t bytes) { return use.bounded ? Json(bytes) : Json(nullptr); };
  Json accounts = Json::array();
  for (const auto& account : use.accounts)
    accounts.push_back({{"account", account.name},
                        {"images", account.images},
                        {"bytesAtMost", bound(account.space.bytes)}});
  Json images = Json::array();
  for (const auto& image : use.images) images.push_back(BoundsToJson(image));
  Json disk = nullptr;
  if (use.disk)
    disk = {{"usedBytes", use.disk->bytes},
            {"usedInodes", use.counts_inodes ? Json(use.disk->inodes) : Json(nullptr)}};
  Json removal = nullptr;
  if (use.removal) {
    const FreedSpace& freed = use.removal->freed;
    removal = {{"images", use.removal->names},
               {"inUse", use.removal->in_use},
               {"freedBytesAtMost",
                freed.certainty == kNotKnown ? Json(nullptr) : Json(freed.space.bytes)},
               {"why", freed.why}};
  }
  return Json({{"apiVersion", "imagesweep/v1alpha1"},
               {"kind", "DiskUse"},
               {"node", use.node},
               {"observedAt", use.observed_at},
               {"boundsOnly", use.bounds_only},
               {"directory", use.directory},
               {"disk", std::move(disk)},
               {"accounts", std::move(accounts)},
               {"images", std::move(images)},
               {"ifRemoved", std::move(removal)},
               {"warnings", use.warnings}})
      .dump(2, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

std::string DiskUseJson(const DiskUse& use) {
  if (!use.bounds_only.empty()) return BoundsJson(use);
  Json accounts = Json::array();
  for (const auto& account : use.accounts) {
    Json one = {{"account", account.name}};
    one.update(ToJson(account.space));
    accounts.push_back(std::move(one));
  }
  const SpaceOnDisk counted = use.Counted();
  Json disk = nullptr;
  if (use.disk)
    disk = {{"usedBytes", use.disk->bytes},
            {"usedInodes", use.counts_inodes ? Json(use.disk->inodes) : Json(nullptr)},
            {"otherBytes", Rest(use.disk->bytes, counted.bytes)},
            {"otherInodes",
             use.counts_inodes ? Json(Rest(use.disk->inodes, counted.inodes)) : Json(nullptr)}};
  Json images = Json::array();
  for (const auto& image : use.images) images.push_back(ToJson(image));
  Json removal = nullptr;
  if (use.removal) {
    removal = ToJson(use.removal->freed);
    removal["images"] = use.removal->names;
    removal["inUse"] = use.removal->in_use;
  }
  return Json({{"apiVersion", "imagesweep/v1alpha1"},
               {"kind", "DiskUse"},
               {"node", use.node},
               {"observedAt", use.observed_at},
               {"boundsOnly", nullptr},
               {"directory", use.directory},
               {"disk", std::move(disk)},
               {"accounts", std::move(accounts)},
               {"counted", ToJson(counted)},
               {"images", std::move(images)},
               {"ifRemoved", std::move(removal)},
               {"unread", use.unread},
               {"warnings", use.warnings}})
      .dump(2, ' ', false, Json::error_handler_t::replace);
}

std::string DiskUseText(const DiskUse& use, const TextOptions& options) {
  std::string text;
  if (use.removal) return RemovalText(*use.removal);
  if (!use.bounds_only.empty()) return BoundsText(use, options);
  if (options.with_header) {
    Table accounts({"ACCOUNT", "SIZE", "INODES", "LAYERS", "BLOBS"},
                   {{"BLOBS", "LAYERS", "INODES"}, {}});
    const auto add = [&](const std::string& name, const SpaceOnDisk& space) {
      accounts.Add({name, HumanBytes(space.bytes), std::to_string(space.inodes),
                    std::to_string(space.snapshots), std::to_string(space.blobs)});
    };
    for (const auto& account : use.accounts) add(account.name, account.space);
    const SpaceOnDisk counted = use.Counted();
    add("all", counted);
    if (use.disk)
      accounts.Add({"other files", HumanBytes(Rest(use.disk->bytes, counted.bytes)),
                    std::to_string(Rest(use.disk->inodes, counted.inodes))});
    text = accounts.Render(/*with_header=*/true, options.width) + "\n";
  }
  // One size: what people look for.
  const std::vector<std::size_t> columns =
      options.wide ? std::vector<std::size_t>{0, 1, 2, 3, 4, 5} : std::vector<std::size_t>{0, 1, 5};
  Table images(Only(columns, {"IMAGE", "IN USE", "SIZE", "UNIQUE", "SHARED", "FREES ALONE"}));
  const ShortNames names = NamesFor(use, options);
  for (const auto& image : use.images)
    images.Add(
        Only(columns, {ShownName(names.Of(image.name)), image.in_use ? "yes" : "no",
                       HumanBytes(image.total.bytes), HumanBytes(image.unique.bytes),
                       HumanBytes(image.total.bytes - image.unique.bytes), Bound(image.freed)}));
  text += images.Render(options.with_header, options.width);
  if (!options.with_header) return text;
  for (const std::string& why : use.unread) text += "Not read: " + why + "\n";
  for (const auto& image : use.images)
    for (const std::string& name : image.survivors)
      text += "Warning: if the runtime removes " + ShownName(image.name) + ", the name " + name +
              " remains, so nothing is freed\n";
  for (const std::string& warning : use.warnings) text += "Warning: " + warning + "\n";
  return text +
         "FREES ALONE: space that is freed if only this image is removed. Shared layers are freed "
         "with the last image that has them (see `imagesweep df --if-removed IMAGE...`).\n";
}

}  // namespace imagesweep
