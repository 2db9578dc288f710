#include "agent/report/documents/json.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "agent/report/documents/advice.h"
#include "agent/report/documents/held_back.h"
#include "agent/report/documents/image_list.h"
#include "agent/report/documents/json_parts.h"
#include "agent/report/documents/listing.h"
#include "agent/report/documents/space_figure.h"

namespace imagesweep {
namespace {

using namespace json_parts;

Json LayersJson(const ImageSpace* space) {
  if (space == nullptr) return nullptr;
  return {{"totalBytes", space->total_bytes},
          {"uniqueBytes", space->unique_bytes},
          {"freesBytes", space->frees_bytes}};
}

// Null: not a removal, or nothing is known.
Json BuildJson(const Report& report, ImagePos at) {
  const auto build = std::ranges::find(report.builds, at, &ImageBuild::image);
  if (build == report.builds.end()) return nullptr;
  return {{"source", build->source},
          {"revision", build->revision},
          {"composeProject", build->compose_project},
          {"composeService", build->compose_service},
          {"steps", build->steps}};
}

Json ImageJson(const Report& report, ImagePos at) {
  const Image& image = report.observation.images[at];
  const ImageAge& age = report.observation.ages[at];
  const Decision& decision = report.plan.decisions[at];
  Json needed_by = Json::array();
  for (const auto workload : WorkloadsOf(report.observation, decision)) {
    const WorkloadReference& its = report.observation.workloads[workload];
    needed_by.push_back({{"kind", its.kind},
                         {"namespace", its.workload_namespace},
                         {"name", its.name},
                         {"revision", its.revision == 0 ? Json(nullptr) : Json(its.revision)},
                         {"container", its.container}});
  }
  Json twins = Json::array();
  for (std::uint32_t i = 0; i < image.tags.size(); ++i)
    if (i != decision.main_tag)
      twins.push_back(
          {{"name", image.tags[i].text()}, {"duplicateOf", image.tags[decision.main_tag].text()}});
  return {{"id", image.id.text()},
          {"names", NamesJson(image.tags)},
          {"twinTags", std::move(twins)},
          {"digests", NamesJson(image.digests)},
          {"origin", {{"kind", ToString(image.origin.kind)}, {"evidence", image.origin.evidence}}},
          {"build", BuildJson(report, at)},
          {"sizeBytes", image.size_bytes},
          {"sizeIsBound", true},
          {"layers", LayersJson(SpaceOf(report, at))},
          {"pinned", image.pinned},
          {"firstSeen", FormatTime(age.first_seen)},
          {"lastUsed", age.last_used ? Json(FormatTime(*age.last_used)) : Json(nullptr)},
          {"ageSeconds", age.unused_for.count() / 1000},
          {"watchedUnusedSeconds", age.watched_unused_for.count() / 1000},
          {"ageIsKnown", !age.just_seen},
          {"verdict", ToString(decision.verdict)},
          {"code", ToString(decision.code)},
          {"reason", decision.reason},
          {"rule", decision.rule},
          {"supersededBy", decision.superseded_by},
          {"usedBy", UsedByJson(report.observation, decision)},
          {"wantedBy", std::move(needed_by)},
          {"wantedByCount", decision.needed_by.size()}};
}

Json HeldBackJson(const Report& report) {
  Json groups = Json::array();
  for (const HeldBack& group : FindHeldBack(report))
    groups.push_back({{"code", ToString(group.code)},
                      {"images", group.images},
                      {"sizeBytes", group.bytes},
                      {"release", group.release}});
  return groups;
}

Json Head(const Report& report, std::string_view kind) {
  Json evidence = {{"withoutKubernetes", report.evidence.without_kubernetes},
                   {"pods", report.evidence.without_kubernetes
                                ? Json(nullptr)
                                : Json({{"count", report.evidence.pods},
                                        {"resourceVersion", report.evidence.resource_version},
                                        {"ageSeconds", report.evidence.pods_age_seconds}})},
                   {"containers", {{"count", report.evidence.containers}}},
                   {"workloads", report.effective_policy.keep.workloads.enabled
                                     ? Json({{"references", report.observation.workloads.size()}})
                                     : Json(nullptr)},
                   {"complete", !report.refused.has_value()}};
  return {{"apiVersion", "imagesweep/v1alpha1"},
          {"kind", kind},
          {"node", report.node},
          {"runtime",
           {{"name", report.runtime.name},
            {"version", report.runtime.version},
            {"endpoint", report.runtime.endpoint}}},
          {"observedAt", FormatTime(report.started)},
          {"dryRun", report.dry_run},
          {"policy",
           {{"source", report.policy.description},
            {"sha256", report.policy.sha256},
            {"profile", ToString(report.effective_policy.profile)},
            {"suspend", report.effective_policy.suspend},
            {"archiveDir", report.effective_policy.keep.archive.path},
            {"overrideFor", report.matched_override}}},
          {"evidence", std::move(evidence)},
          {"filesystem", DiskJson(report.observation.disk)},
          {"warnings", report.warnings}};
}

// Indents by one level of arrays: JSON escapes line breaks in texts, so all others are layout.
void AppendIndented(const std::string& text, std::string& out) {
  out += "\n    ";
  for (const char c : text) {
    out += c;
    if (c == '\n') out += "    ";
  }
}

// The text of a document with the images inserted into its empty "images", one at a time: as values
// of nlohmann_json, 10,000 images take five times the memory of their text.
std::string DumpWithImages(const Json& document, const Report& report,
                           std::span<const ImagePos> images) {
  constexpr std::string_view kImages = "\n  \"images\": [";
  constexpr std::size_t kTextOfAnImage = 1200;  // bytes, about
  std::string text = Dump(document);
  if (report.plan.decisions.empty() || images.empty())
    return text;  // an aborted run has no decisions
  const std::size_t rest = text.find(kImages) + kImages.size();
  const std::string after = text.substr(rest);
  text.resize(rest);
  text.reserve(rest + images.size() * kTextOfAnImage);
  bool is_first = true;
  for (const auto at : images) {
    if (!std::exchange(is_first, false)) text += ',';
    AppendIndented(Dump(ImageJson(report, at)), text);
  }
  if (!is_first) text += "\n  ";
  return text += after;
}

Json TotalsJson(const std::optional<NodeTotals>& snapshot) {
  if (!snapshot) return nullptr;
  return {{"images", snapshot->images},
          {"bytes", snapshot->bytes},
          {"reclaimableBytes", snapshot->reclaimable_bytes},
          {"filesystem", DiskJson(snapshot->disk)}};
}

Json RefusedJson(const std::optional<Refusal>& refused) {
  if (!refused) return nullptr;
  return {{"source", refused->source}, {"error", refused->error.what}};
}

// Null unless the disk was measured before and after; includes changes by other processes.
Json MeasuredFreed(const Report& report) {
  if (report.layers && report.layers->measured_bytes) return *report.layers->measured_bytes;
  if (!report.before || !report.after || !report.before->disk || !report.after->disk)
    return nullptr;
  return static_cast<std::int64_t>(report.after->disk->available_bytes) -
         static_cast<std::int64_t>(report.before->disk->available_bytes);
}

Json VerificationJson(const Report& report) {
  Json json = {{"referencedImages", report.referenced_images}, {"missing", report.missing_after}};
  if (report.evidence.without_kubernetes) return json;
  const auto& after = report.evidence.ready_pods_after;
  json["unfinishedPods"] = report.evidence.unfinished_pods;
  json["readyPodsBefore"] = report.evidence.ready_pods;
  json["readyPodsAfter"] = after ? Json(*after) : Json(nullptr);
  return json;
}

Json OversizedJson(const Report& report) {
  Json list = Json::array();
  auto oversized = report.oversized;
  std::ranges::sort(oversized, {}, [&](const Oversized& one) {
    return std::string_view(report.observation.images[one.image].display_name());
  });
  for (const Oversized& one : oversized) {
    const Image& image = report.observation.images[one.image];
    list.push_back({{"name", image.display_name()},
                    {"sizeBytes", image.size_bytes},
                    {"maxSizeBytes", one.max_size}});
  }
  return list;
}

}  // namespace

std::string ImagesJson(const Report& report, std::span<const ImagePos> images) {
  Json json = Head(report, "ImageList");
  json["images"] = Json::array();
  return DumpWithImages(json, report, images);
}

std::string ImagesJson(const Report& report) {
  return ImagesJson(report, AllByName(report.observation));
}

std::string PlanJson(const Report& report) {
  Json json = Head(report, "SweepPlan");
  json["heldBack"] = HeldBackJson(report);
  json["images"] = Json::array();
  Json order = Json::array();
  std::uint64_t bytes = 0;
  for (const auto at : report.plan.removals) {
    order.push_back(report.observation.images[at].id.text());
    bytes += report.observation.images[at].size_bytes;
  }
  json["removalOrder"] = std::move(order);
  json["totals"] = {{"images", report.plan.decisions.size()},
                    {"keep", report.plan.Count(Verdict::kKeep)},
                    {"remove", report.plan.Count(Verdict::kRemove)},
                    {"defer", report.plan.Count(Verdict::kDefer)},
                    {"removeSizeBytes", bytes},
                    {"predictedFreedBytes", nullptr},
                    {"predictedFreedInodes", nullptr},
                    {"predictionCertainty", nullptr}};
  if (report.layers) {
    const SpaceFigure& planned = report.layers->planned;
    json["totals"]["predictedFreedBytes"] = planned.bytes;
    json["totals"]["predictedFreedInodes"] = planned.inodes;
    json["totals"]["predictionCertainty"] = CertaintyOf(planned);
  }
  return DumpWithImages(json, report, AllByName(report.observation));
}

std::string SweepJson(const Report& report) {
  Json json = Head(report, "SweepReport");
  json["heldBack"] = HeldBackJson(report);
  json["run"] = report.run;
  json["startedAt"] = FormatTime(report.started);
  json["finishedAt"] = FormatTime(report.finished);
  json["refused"] = RefusedJson(report.refused);
  json["stoppedEarly"] = report.stopped_early;
  json["removalSeconds"] = report.removal_seconds ? Json(*report.removal_seconds) : Json(nullptr);
  Json outcomes = Json::array();
  for (const Outcome& outcome : report.outcomes) {
    const Image& image = report.observation.images[outcome.image];
    const Decision& decision = report.plan.decisions[outcome.image];
    outcomes.push_back({{"id", image.id.text()},
                        {"names", NamesJson(image.tags)},
                        {"digests", NamesJson(image.digests)},
                        {"sizeBytes", image.size_bytes},
                        {"outcome", ToString(outcome.kind)},
                        {"code", ToString(decision.code)},
                        {"reason", decision.reason},
                        {"error", outcome.detail}});
  }
  json["outcomes"] = std::move(outcomes);
  json["before"] = TotalsJson(report.before);
  json["after"] = TotalsJson(report.after);
  json["predictedAfter"] = TotalsJson(report.predicted_after);
  json["predictedFreedBytes"] = report.layers ? Json(report.layers->removed.bytes) : Json(nullptr);
  json["predictionCertainty"] =
      report.layers ? Json(CertaintyOf(report.layers->removed)) : Json(nullptr);
  json["measuredFreedBytes"] = MeasuredFreed(report);
  json["predictionOffBy"] =
      report.layers && !report.layers->off_by.empty() ? Json(report.layers->off_by) : Json(nullptr);
  json["verification"] = VerificationJson(report);
  json["sizeLimitsExceeded"] = OversizedJson(report);
  const double price = report.effective_policy.reporting.storage_cost_per_gib_month;
  json["storageCostPerGiBMonth"] = price > 0 ? Json(price) : Json(nullptr);
  json["advice"] = Advice(report);
  json["policyText"] = report.policy_text;
  json["images"] = Json::array();
  return DumpWithImages(json, report, AllByName(report.observation));
}

std::string ExplanationJson(const Report& report, ImagePos image,
                            std::span<const ExplainedStep> steps,
                            const std::string& what_would_change_it,
                            std::optional<SystemTime> goes_at) {
  Json json = Head(report, "ImageExplanation");
  json["image"] = ImageJson(report, image);
  Json list = Json::array();
  for (const ExplainedStep& step : steps)
    list.push_back({{"code", step.code},
                    {"applies", step.applies},
                    {"decides", step.decides},
                    {"evidence", step.evidence}});
  json["steps"] = std::move(list);
  json["whatWouldChangeIt"] = what_would_change_it;
  json["goesAt"] = goes_at ? Json(FormatTime(*goes_at)) : Json(nullptr);
  return Dump(json);
}

}  // namespace imagesweep
