#include "agent/app/room_watch.h"

#include <utility>

#include "agent/base/quantity.h"
#include "agent/plan/room.h"

namespace imagesweep {
namespace {

// Space may come back a moment after the files are gone: XFS inactivates inodes in the background.
// What went by then was not needed, so there is a wait after each removal.
constexpr Millis kSettle{500};

}  // namespace

RoomWatch::RoomWatch(const Report& report, Filesystem& filesystem, const Clock& clock)
    : report_(report), filesystem_(filesystem), clock_(clock) {}

void RoomWatch::Note(const Outcome& outcome) {
  removed_ = outcome.kind == OutcomeKind::kRemoved;
  if (removed_ || outcome.kind == OutcomeKind::kWouldRemove)
    freed_ += report_.observation.images[outcome.image].size_bytes;
}

std::string RoomWatch::ReasonToEnd(const std::stop_token& stop) {
  const std::uint64_t wanted = report_.plan.room;
  if (report_.dry_run)
    return freed_ >= MissingRoom(report_.observation, wanted)
               ? "that would be enough, by the sizes that the runtime tells"
               : "";
  if (!report_.observation.disk) return "disk use is not known";
  for (const bool again : {std::exchange(removed_, false), false}) {
    const auto disk = filesystem_.Stat(report_.observation.disk->mountpoint);
    if (!disk) return "disk use is not known any more: " + disk.error().what;
    if (disk->available_bytes >= wanted)
      return HumanBytes(disk->available_bytes) + " are available, which is enough";
    if (!again) break;
    clock_.Sleep(kSettle, stop);
  }
  return {};
}

}  // namespace imagesweep
