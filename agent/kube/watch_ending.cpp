#include "agent/kube/watch_ending.h"

#include <utility>

namespace imagesweep::kube {
namespace {

using Next = WatchEnding::Next;

constexpr Millis kVeryShort = std::chrono::seconds(1);

}  // namespace

// Throttling and temporary faults lose no events: the same resourceVersion still covers the gap,
// and a list would only add to the load.
WatchEnding AfterRefusal(const ApiStatus& status) {
  const bool passing =
      status.throttled() || status.code >= 500 || status.code == 401 || status.code == 403;
  const bool version_unusable = status.expired() || status.too_large();
  return {passing && !version_unusable ? Next::kResume : Next::kRelist, status.ToError(),
          status.retry_after, status.throttled()};
}

// A server that fails inside a watch may have lost events. A throttling server has not.
WatchEnding AfterErrorEvent(const ApiStatus& status) {
  return {status.throttled() ? Next::kResume : Next::kRelist, status.ToError(), status.retry_after,
          status.throttled()};
}

WatchEnding AfterUnreadable(Error why) {
  return {Next::kRelist, std::move(why), {}, false};
}

WatchEnding AfterBreak(Error why) {
  return {Next::kResume, std::move(why), {}, false};
}

WatchEnding AfterSilence() {
  return {Next::kResume, {}, {}, false, true};
}

WatchEnding AfterEnd(Millis lived, bool saw_event) {
  if (!saw_event && lived < kVeryShort)
    return AfterBreak({ErrorKind::kUnavailable, "the stream ended at once, without an event"});
  return {};
}

}  // namespace imagesweep::kube
