#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <random>
#include <stop_token>
#include <string>
#include <vector>

#include "agent/base/backoff.h"
#include "agent/kube/lister.h"
#include "agent/kube/watch_ending.h"

namespace imagesweep::kube {

enum class EventType { kAdded, kModified, kDeleted };

// Receives what a Reflector sees; on the reflector's thread.
class ReflectorHandler {
 public:
  virtual ~ReflectorHandler() = default;
  // Where the items of a list go before its Replace(); null: into the list.
  virtual ItemSink* sink() { return nullptr; }
  // The whole truth as of `list`; replaces everything before.  An error means that it cannot be
  // understood: it is listed again.
  virtual Status Replace(const ObjectList& list) = 0;
  // One change after it.  An error as above.
  virtual Status Apply(EventType type, const Json& object) = 0;
  // The watch lives.
  virtual void Confirm() = 0;
  // The server showed at `at` that what was handed over is what it has: by a list, an event or a
  // bookmark.  A watch that was only opened shows nothing.
  virtual void Heard(SteadyTime /*at*/) {}
  // From now until the next Replace or Confirm nothing is known to be current.  After a loss of
  // what may never come again the reason stays, whatever is lost later, until a whole list came.
  virtual void Lose(const Error& why) = 0;
};

// Keeps a handler in step with one kind of object on the server: list, then watch from there, for
// ever (client-go calls this a reflector).  The first list is a consistent one; later ones are not
// older than what was seen, or consistent again when the server cannot do that.  A watch is resumed
// from the last resourceVersion only after an ending that proves that nothing was missed, and
// anything that is not understood costs a new list.
//
// Pace: after whatever did not last two minutes a wait of 0.8 to 1.6 s, doubling up to 30 to 60 s,
// and never sooner than the server asked for.  Before a list that an answer has made necessary it
// is the shortest one when the list before is at least a minute old: the server may be back.
class Reflector {
 public:
  struct Options {
    // Silence after which it is asked again: bookmarks come about once a minute, but not before
    // anything of the kind has changed since the server started, so it may be a quiet cluster's.
    Millis idle = std::chrono::seconds(90);
    // A watch may lose events without saying so (kubernetes#123072): listed anew at the end of the
    // first watch after this time, so within it and one watch.
    Millis relist_after = std::chrono::minutes(10);
    // A watch that ends when nothing was heard for so long is listed anew instead of resumed: a
    // server that waits for a resourceVersion of its future is as silent as a quiet one.  Zero:
    // resumed.
    Millis relist_unheard{0};
    std::uint64_t seed = 0;
  };
  Reflector(HttpTransport& transport, const Lister& lister, ReflectorHandler& handler,
            const Clock& clock, Options options, RequestObserver observer);

  // Until told to stop.
  void Run(const std::stop_token& stop);

 private:
  bool ListOnce(const std::stop_token& stop);
  void WatchOnce(const std::stop_token& stop);
  WatchEnding WatchToItsEnd(const std::stop_token& stop);
  std::optional<WatchEnding> OnObject(std::string_view text);
  void Lose(const Error& why, bool grave);
  void Pause(Backoff& backoff, const std::optional<Millis>& at_least, const std::stop_token& stop);

  HttpTransport& transport_;
  const Lister& lister_;
  ReflectorHandler& handler_;
  const Clock& clock_;
  const Options options_;
  const RequestObserver observer_;
  Backoff backoff_;
  std::mt19937_64 random_;
  // Set: list first, not older than this; empty text: consistently.
  std::optional<std::string> list_from_ = std::string();
  SteadyTime listed_at_;
  SteadyTime heard_at_;         // the last list, event or bookmark
  std::optional<Error> grave_;  // what was lost may never come again; until a whole list came
  int failed_lists_ = 0;        // in a row
  std::string resource_version_;  // watch from here
  bool saw_event_ = false;
};

}  // namespace imagesweep::kube
