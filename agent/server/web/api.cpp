#include "agent/server/web/api.h"

#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "agent/report/documents/text.h"

namespace imagesweep::web {
namespace {

using Json = nlohmann::ordered_json;

std::string Dump(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

// Skips the lists of images, which are most of a report and not needed here.
Json WithoutLists(const std::string& document) {
  const auto wanted = [](int depth, Json::parse_event_t event, Json& parsed) {
    if (depth != 1 || event != Json::parse_event_t::key) return true;
    const auto& key = parsed.get_ref<const std::string&>();
    return key != "images" && key != "outcomes" && key != "policyText";
  };
  return Json::parse(document, wanted, /*allow_exceptions=*/false);
}

std::uint64_t NumberOf(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

std::optional<NodeTotals> TotalsOf(const Json& report, const char* key) {
  const auto found = report.find(key);
  if (found == report.end() || !found->is_object()) return std::nullopt;
  NodeTotals snapshot;
  snapshot.images = NumberOf(*found, "images");
  snapshot.bytes = NumberOf(*found, "bytes");
  snapshot.reclaimable_bytes = NumberOf(*found, "reclaimableBytes");
  const auto disk = found->find("filesystem");
  if (disk != found->end() && disk->is_object()) {
    snapshot.disk.emplace();
    snapshot.disk->capacity_bytes = NumberOf(*disk, "sizeBytes");
    snapshot.disk->available_bytes = NumberOf(*disk, "availBytes");
    snapshot.disk->inodes = NumberOf(*disk, "inodes");
    snapshot.disk->inodes_free = NumberOf(*disk, "inodesFree");
  }
  return snapshot;
}

}  // namespace

RunRow RunRowOf(RunEntry entry) {
  RunRow row;
  const Json report = WithoutLists(entry.report);
  if (report.is_object()) {
    row.before = TotalsOf(report, "before");
    const auto dry_run = report.find("dryRun");
    const bool estimated = dry_run != report.end() && *dry_run == true;
    row.after = TotalsOf(report, estimated ? "predictedAfter" : "after");
  }
  entry.report.clear();
  row.entry = std::move(entry);
  return row;
}

std::string PolicyJson(const PolicyView& policy) {
  return Dump({{"apiVersion", "imagesweep/v1alpha1"},
               {"kind", "ActivePolicy"},
               {"source", policy.source.description},
               {"sha256", policy.source.sha256},
               {"profile", policy.profile},
               {"overrideFor", policy.matched_override},
               {"dryRun", policy.dry_run},
               {"suspend", policy.suspend},
               {"problem", policy.problem},
               {"policyText", policy.text}});
}

std::string ErrorJson(int status, const std::string& reason, const std::string& message) {
  return Dump({{"apiVersion", "imagesweep/v1alpha1"},
               {"kind", "Error"},
               {"status", status},
               {"reason", reason},
               {"message", message}});
}

std::string WhyNoRun(const StatusView& view) {
  if (view.refused) return Summary(*view.refused);
  std::string why;
  for (const HealthCheck& check : view.checks)
    if (!check.ok) why += (why.empty() ? "" : "; ") + check.name + ": " + check.text;
  return why.empty() ? "the first run is in progress" : "no run yet; " + why;
}

}  // namespace imagesweep::web
