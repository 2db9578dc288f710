#include "agent/gc/free_space_monitor.h"

#include <utility>

#include "agent/base/quantity.h"
#include "agent/gc/plan/free_space_target.h"
#include "agent/report/documents/free_space.h"

namespace imagesweep {
namespace {

// Space may become available shortly after the deletion: XFS inactivates inodes in the background.
// Waiting after each removal avoids removing more than needed.
constexpr Millis kSettle{500};

}  // namespace

FreeSpaceMonitor::FreeSpaceMonitor(const Plan& plan, const Observation& seen, bool dry_run,
                                   Filesystem& filesystem, const Clock& clock)
    : plan_(plan), seen_(seen), dry_run_(dry_run), filesystem_(filesystem), clock_(clock) {}

void FreeSpaceMonitor::Note(const Outcome& outcome) {
  removed_ = outcome.kind == OutcomeKind::kRemoved;
  if (outcome.kind == OutcomeKind::kWouldRemove)
    would_free_ += PredictedBytes(plan_, seen_, outcome);
}

std::string FreeSpaceMonitor::ReasonToEnd(const std::stop_token& stop) {
  const std::uint64_t wanted = plan_.free_space_target;
  if (dry_run_)
    return would_free_ >= MissingFreeSpace(seen_, wanted) ? "that would free enough space" : "";
  if (!seen_.disk) return "cannot determine the disk usage";
  const std::string& mountpoint = seen_.disk->mountpoint;
  const bool removed = std::exchange(removed_, false);
  if (removed) filesystem_.Sync(mountpoint);
  for (const bool again : {removed, false}) {
    const auto disk = filesystem_.Stat(mountpoint);
    if (!disk) return "cannot determine the disk usage: " + disk.error().what;
    if (disk->available_bytes >= wanted)
      return HumanBytes(disk->available_bytes) + " are available, which is enough";
    if (!again) break;
    clock_.Sleep(kSettle, stop);
  }
  return {};
}

}  // namespace imagesweep
