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

namespace imagesweep::kube {

enum class EventType { kAdded, kModified, kDeleted };

// Receives what a Reflector sees; on the reflector's thread.
class ReflectorHandler {
 public:
  virtual ~ReflectorHandler() = default;
  // The whole truth as of `list`; replaces everything before.  An error means that it cannot be
  // understood: it is listed again.
  virtual Status Replace(const ObjectList& list) = 0;
  // One change after it.  An error as above.
  virtual Status Apply(EventType type, const Json& object) = 0;
  // The watch lives.
  virtual void Confirm() = 0;
  // From now until the next Replace or Confirm nothing is known to be current.
  virtual void Lose(const Error& why) = 0;
};

// Keeps a handler in step with one kind of object on the server: list, then watch from there, for
// ever (client-go calls this a reflector).  Every list is a consistent one; a watch is resumed from
// the last resourceVersion only after an ending that proves that nothing was missed, and anything
// that is not understood costs a new list.
class Reflector {
 public:
  struct Options {
    // Silence after which a connection counts as dead; bookmarks come about once a minute.
    Millis idle = std::chrono::seconds(90);
    std::uint64_t seed = 0;
  };
  Reflector(HttpTransport& transport, const Lister& lister, ReflectorHandler& handler,
            const Clock& clock, Options options, RequestObserver observer);

  // Until told to stop.
  void Run(const std::stop_token& stop);

  enum class Next { kResume, kRelist };

 private:
  struct Ending {
    Next next = Next::kResume;
    std::optional<Error> lost;          // what to tell the handler
    std::optional<Millis> retry_after;  // the server's wish
    bool healthy = false;               // ended as watches do: no wait
  };
  bool ListOnce(const std::stop_token& stop);
  Ending WatchOnce(const std::stop_token& stop);
  std::optional<Ending> OnObject(std::string_view object);
  Ending AfterStatus(const ApiStatus& status);
  bool Pause(const std::optional<Millis>& at_least, const std::stop_token& stop);

  HttpTransport& transport_;
  const Lister& lister_;
  ReflectorHandler& handler_;
  const Clock& clock_;
  const Options options_;
  const RequestObserver observer_;
  Backoff backoff_;
  std::mt19937_64 random_;
  std::string resource_version_;  // empty: list first
  bool saw_event_ = false;
};

}  // namespace imagesweep::kube
