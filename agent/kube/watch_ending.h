#pragma once

#include <optional>

#include "agent/kube/api_status.h"

namespace imagesweep::kube {

// What the end of a watch means for what comes next.
struct WatchEnding {
  enum class Next {
    kResume,  // nothing was missed: watch on from the last resourceVersion
    kRelist,  // something may have been missed: list first
  };
  Next next = Next::kResume;
  std::optional<Error> lost;          // why what is known is not current any more; empty: it is
  std::optional<Millis> retry_after;  // the server's wish
  bool throttled = false;             // 429: the server must not be asked for more than it needs
  bool quiet = false;                 // it was answered, and then nothing more was heard
};

// The rules of client-go's reflector (reflector.go: isWatchErrorRetriable, isExpiredError,
// VeryShortWatchError; with_retry.go), stricter where it only logs.  Pure.

// An answer other than 200.
WatchEnding AfterRefusal(const ApiStatus& status);
// An ERROR event inside a 200.
WatchEnding AfterErrorEvent(const ApiStatus& status);
// Something in the stream that cannot be understood.
WatchEnding AfterUnreadable(Error why);
// No answer, or the connection broke.  Half an event is dropped; it comes again.
WatchEnding AfterBreak(Error why);
// An open stream on which nothing came for as long as one waits for a bookmark.  The connection may
// be dead, which the next request shows; or there is nothing to say: without any change to objects
// of the kind since it started, the API server sends no bookmark either (k8s.io/apiserver,
// storage/cacher/cacher.go: dispatchEvents).
WatchEnding AfterSilence();
// The server ended the stream as it does at every timeoutSeconds.
WatchEnding AfterEnd(Millis lived, bool saw_event);

}  // namespace imagesweep::kube
