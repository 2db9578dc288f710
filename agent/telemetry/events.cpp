#include "agent/telemetry/events.h"

#include <algorithm>
#include <map>

#include "agent/base/quantity.h"
#include "agent/model/verdict_codes.h"

namespace imagesweep {
namespace {

constexpr const char* kWouldBeRemoved = "ImagesWouldBeRemoved";

// "12 images, about 4.1GiB (8 age, 4 space)", with sizes as the runtime reports them.
std::string CountAndSize(const Report& report, OutcomeKind kind) {
  std::size_t images = 0;
  std::uint64_t bytes = 0;
  std::map<std::string_view, std::size_t> by_reason;
  for (const Outcome& outcome : report.outcomes) {
    if (outcome.kind != kind) continue;
    ++images;
    bytes += report.observation.images[outcome.image].size_bytes;
    ++by_reason[RowOf(report.plan.decisions[outcome.image].code).removal_reason];
  }
  std::string text = std::to_string(images) + (images == 1 ? " image" : " images") + ", about " +
                     HumanBytes(bytes) + " (";
  std::string separator;
  for (const auto& [reason, count] : by_reason) {
    text += separator + std::to_string(count) + " " + std::string(reason);
    separator = ", ";
  }
  return text + ")";
}

// The low threshold, if the run did not reach it; otherwise empty.
std::string Shortfall(const Report& report) {
  const Thresholds& thresholds = report.effective_policy.disk;
  if (report.dry_run || !report.before || !report.before->disk || !report.after ||
      !report.after->disk)
    return {};
  const int before = report.before->disk->used_percent();
  const int after = report.after->disk->used_percent();
  if (thresholds.high_percent == 0 || before < thresholds.high_percent ||
      after <= thresholds.low_percent)
    return {};
  return "Image filesystem " + report.after->disk->mountpoint + " is at " + std::to_string(after) +
         " % after the run; lowThresholdPercent of the policy is " +
         std::to_string(thresholds.low_percent) + " %";
}

}  // namespace

std::vector<NodeEvent> EventsOf(const Report& report) {
  std::vector<NodeEvent> events;
  if (report.Count(OutcomeKind::kRemoved) > 0)
    events.push_back({false, "ImagesRemoved", "RemoveImages",
                      "Removed " + CountAndSize(report, OutcomeKind::kRemoved)});
  if (report.Count(OutcomeKind::kWouldRemove) > 0)
    events.push_back({false, kWouldBeRemoved, "EvaluateImages",
                      "Dry run: would remove " + CountAndSize(report, OutcomeKind::kWouldRemove),
                      true});
  const auto failed = [](const Outcome& outcome) {
    return outcome.kind == OutcomeKind::kFailed || outcome.kind == OutcomeKind::kStillListed;
  };
  if (const auto first = std::ranges::find_if(report.outcomes, failed);
      first != report.outcomes.end()) {
    const auto count = std::ranges::count_if(report.outcomes, failed);
    events.push_back({true, "ImageRemovalFailed", "RemoveImages",
                      "Failed to remove " + std::to_string(count) +
                          (count == 1 ? " image: " : " images, the first is ") +
                          ShownName(report.observation.images[first->image]) + ": " +
                          first->detail});
  }
  if (std::string note = Shortfall(report); !note.empty())
    events.push_back({true, "InsufficientSpaceReclaimed", "RemoveImages", std::move(note)});
  return events;
}

NodeEvent PolicyLoadedEvent(const PolicySource& source, bool dry_run, bool suspended,
                            bool mode_changed, bool awaits_labels) {
  std::string note = "Loaded policy " + source.sha256 + " from " + source.description;
  note += awaits_labels ? "; the node labels that select an override are not read yet"
          : suspended   ? "; it is suspended: nothing is removed"
          : dry_run     ? "; dry run: nothing is removed"
                        : "; dry run is off: images are removed";
  NodeEvent event{false, "PolicyLoaded", "LoadPolicy", std::move(note), true};
  event.at_once = mode_changed;
  if (mode_changed) event.withdraws = {kWouldBeRemoved};
  return event;
}

NodeEvent PolicyInvalidEvent(const std::string& problem, bool keeps_last_good) {
  const std::string first = problem.substr(0, problem.find('\n'));
  return {true, "PolicyInvalid", "LoadPolicy",
          first + (keeps_last_good ? "; the last valid policy stays in force"
                                   : "; no policy is in force, so nothing is removed")};
}

NodeEvent PolicyUnreadEvent(const std::string& complaint) {
  return {true, "PolicyUnread", "LoadPolicy", "The policy in force may be outdated: " + complaint};
}

NodeEvent RuntimeUnreachableEvent(const std::string& problem) {
  return {true, "RuntimeUnreachable", "ConnectRuntime",
          "The container runtime has not answered for 2 minutes: " + problem};
}

}  // namespace imagesweep
