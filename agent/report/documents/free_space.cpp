#include "agent/report/documents/free_space.h"

#include <algorithm>

#include "agent/base/quantity.h"
#include "agent/report/documents/held_back.h"

namespace imagesweep {
namespace {

// The last measurement.
const std::optional<DiskUsage>& DiskOf(const Report& report) {
  return report.after && report.after->disk ? report.after->disk : report.observation.disk;
}

std::uint64_t WouldFree(const Report& report) {
  std::uint64_t bytes = 0;
  for (const Outcome& outcome : report.outcomes)
    if (outcome.kind == OutcomeKind::kWouldRemove)
      bytes += PredictedBytes(report.plan, report.observation, outcome);
  return bytes;
}

bool AllByLayers(const Report& report) {
  return std::ranges::all_of(report.outcomes, [&](const Outcome& outcome) {
    return outcome.kind != OutcomeKind::kWouldRemove ||
           report.plan.decisions[outcome.image].frees.has_value();
  });
}

}  // namespace

std::uint64_t PredictedBytes(const Plan& plan, const Observation& seen, const Outcome& outcome) {
  return plan.decisions[outcome.image].frees.value_or(seen.images[outcome.image].size_bytes);
}

bool HasFreeSpace(const Report& report) {
  const auto& disk = DiskOf(report);
  return disk && disk->available_bytes + WouldFree(report) >= report.plan.free_space_target;
}

std::string FreeSpaceText(const Report& report) {
  const auto& disk = DiskOf(report);
  const std::string wanted =
      HumanBytes(report.plan.free_space_target) + " requested on the image filesystem";
  if (!disk) return wanted + ", but its usage cannot be determined\n";
  std::string text =
      wanted + " " + disk->mountpoint + ", " + HumanBytes(disk->available_bytes) + " available";
  if (report.observation.disk && report.observation.disk->available_bytes != disk->available_bytes)
    text += " (" + HumanBytes(report.observation.disk->available_bytes) + " before)";
  if (disk->available_bytes >= report.plan.free_space_target)
    return text + ": enough space is available\n";
  const std::uint64_t would_free = WouldFree(report);
  if (would_free > 0)
    text += "; the removals would free " + HumanBytes(would_free) +
            (AllByLayers(report) ? "" : " by the sizes that the runtime reports");
  if (HasFreeSpace(report)) return text + ": enough space would be available\n";
  const std::uint64_t missing = report.plan.free_space_target - disk->available_bytes - would_free;
  text += ": " + HumanBytes(missing) + " missing; ";
  if (!report.stopped_early.empty()) return text + "stopped early: " + report.stopped_early + "\n";
  if (report.plan.free_space_target > disk->capacity_bytes)
    return text + "the file system has only " + HumanBytes(disk->capacity_bytes) +
           " in total, so no image was removed\n";
  return text +
         "all other images are needed, kept, too young, or over a limit of this run (see "
         "`imagesweep plan`)\n" +
         HeldBackText(report, missing);
}

}  // namespace imagesweep
