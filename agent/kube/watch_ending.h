#pragma once

#include <optional>

#include "agent/kube/api_status.h"

namespace imagesweep::kube {

// What to do after a watch has ended.
struct WatchEnding {
  enum class Next {
    kResume,  // nothing was missed: watch on from the last resourceVersion
    kRelist,  // something may have been missed: list first
  };
  Next next = Next::kResume;
  std::optional<Error> lost;  // why the known objects are no longer current; empty: they are
  std::optional<Millis> retry_after;  // requested by the server
  bool throttled = false;             // 429: do not ask the server for more than necessary
  bool quiet = false;                 // the watch was answered, and then stayed silent
};

// The rules of client-go's reflector (reflector.go: isWatchErrorRetriable, isExpiredError,
// VeryShortWatchError; with_retry.go), but stricter where client-go only logs. Pure.

// An answer with a status other than 200.
WatchEnding AfterRefusal(const ApiStatus& status);
// An ERROR event inside a 200.
WatchEnding AfterErrorEvent(const ApiStatus& status);
// Something in the stream cannot be understood.
WatchEnding AfterUnreadable(Error why);
// No answer, or a broken connection. A partial event is discarded and arrives again.
WatchEnding AfterBreak(Error why);
// An open stream that was silent for the time in which a bookmark should arrive. The connection may
// be dead, which the next request shows. Or there is nothing to report: without any change to
// objects of the kind since it started, the API server sends no bookmarks (k8s.io/apiserver,
// storage/cacher/cacher.go: dispatchEvents).
WatchEnding AfterSilence();
// The server ended the stream, as it does after every timeoutSeconds.
WatchEnding AfterEnd(Millis lived, bool saw_event);

}  // namespace imagesweep::kube
