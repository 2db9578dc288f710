#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <random>
#include <stop_token>
#include <string>
#include <vector>

#include "agent/base/backoff.h"
#include "agent/base/clock.h"
#include "agent/base/result.h"
#include "agent/kube/client/api_status.h"
#include "agent/kube/client/lister.h"

namespace imagesweep::kube {

// Detects an API server that went back in time: a stale one behind a load balancer, or an etcd that
// was restored from a backup. The resourceVersions of one resource are ordered numbers (KEP-5504).
// The guard refuses an older list for 45 s. If a later list is not even older, the guard accepts it
// as the new state. Pure; not thread-safe.
class RewindGuard {
 public:
  // `listed` is the version of a consistent list. `watched` is the newest version that the watch
  // knew before the list was requested, or empty. kIncomplete if the list is older than something
  // seen before.
  Status Check(const std::string& listed, const std::string& watched, SteadyTime now);

 private:
  struct Back {
    std::uint64_t version = 0;
    SteadyTime since;
  };
  std::uint64_t newest_ = 0;
  std::optional<std::uint64_t> discounted_;  // the watch's version from before an accepted rewind
  std::optional<Back> back_;
};

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

enum class EventType { kAdded, kModified, kDeleted };

// Receives what a Reflector sees. All calls are on the thread of the reflector.
class ReflectorHandler {
 public:
  virtual ~ReflectorHandler() = default;
  // Takes the items of a list before Replace(). Null: the items are in the list.
  virtual ItemSink* sink() { return nullptr; }
  // Replaces everything known by `list`. An error means that the list cannot be understood, and the
  // reflector lists again.
  virtual Status Replace(const ObjectList& list) = 0;
  // Applies one change after that list. An error has the same effect.
  virtual Status Apply(EventType type, const Json& object) = 0;
  // The watch works.
  virtual void OnSynced() = 0;
  // At `at`, the server showed by a list, an event, or a bookmark that the handler has the current
  // objects. The start of a watch shows nothing.
  virtual void OnProgress(SteadyTime /*at*/) {}
  // From now until the next Replace or Confirm, nothing is known to be current. After a loss of
  // events that may never arrive again, that reason stays until a complete list arrives, even if
  // other losses follow.
  virtual void OnDisconnected(const Error& why) = 0;
};

// Keeps a handler in step with one kind of object on the server: it lists, then watches from there,
// and repeats (a reflector in client-go). The first list is consistent. Later lists are at least as
// new as what was seen, or consistent again if the server cannot provide that. A watch resumes from
// the last resourceVersion only after an ending that proves that no event was missed. Anything that
// cannot be understood causes a new list.
//
// Pace: after a list or a watch that lasted less than two minutes, it waits 0.8 to 1.6 s, doubling
// up to 30 to 60 s, and at least as long as the server asked for. If an answer of the server makes
// a new list necessary and the previous list is at least a minute old, it waits only 0.8 to 1.6 s,
// because an outage may have ended.
class Reflector {
 public:
  struct Options {
    // The watch is opened again after this silence. Bookmarks arrive about once a minute, but not
    // before the first change to the kind since the server started, so a quiet cluster may be
    // silent.
    Millis idle = std::chrono::seconds(90);
    // A watch may lose events silently (kubernetes#123072). So the reflector lists again at the end
    // of the first watch that ends after this time.
    Millis relist_after = std::chrono::minutes(10);
    // If a watch ends and there was no list, event, or bookmark for this time, the reflector lists
    // again instead of resuming the watch. The server may be silent because it waits for a
    // resourceVersion of its future. Zero: it resumes.
    Millis relist_unheard{0};
    std::uint64_t seed = 0;
  };
  Reflector(HttpTransport& transport, const Lister& lister, ReflectorHandler& handler,
            const Clock& clock, Options options, RequestObserver observer);

  // Runs until `stop`.
  void Run(const std::stop_token& stop);

 private:
  bool ListOnce(const std::stop_token& stop);
  void WatchOnce(const std::stop_token& stop);
  WatchEnding WatchToItsEnd(const std::stop_token& stop);
  std::optional<WatchEnding> OnObject(std::string_view text);
  void OnDisconnected(const Error& why, bool events_lost);
  void Pause(Backoff& backoff, const std::optional<Millis>& at_least, const std::stop_token& stop);

  HttpTransport& transport_;
  const Lister& lister_;
  ReflectorHandler& handler_;
  const Clock& clock_;
  const Options options_;
  const RequestObserver observer_;
  Backoff backoff_;
  std::mt19937_64 random_;
  // If set: list first, not older than this version. Empty text: list consistently.
  std::optional<std::string> list_from_ = std::string();
  SteadyTime listed_at_;
  SteadyTime last_progress_at_;  // the last list, event or bookmark
  std::optional<Error>
      lost_events_;       // the loss of events that may never arrive again; until a complete list
  int failed_lists_ = 0;  // in a row
  std::string resource_version_;  // watch from this version
  bool saw_event_ = false;
};

}  // namespace imagesweep::kube
