#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>

#include "agent/base/clock.h"
#include "agent/kube/client/object_client.h"

namespace imagesweep::kube {

// Leader election with a coordination.k8s.io/v1 Lease, by the rules of client-go
// (tools/leaderelection/leaderelection.go). The holder renews the Lease. Another process may take
// it if its record has not changed for the duration that the record states. Only the monotonic
// clock of this process measures that time: the times in the record come from the clock of another
// node and are for people only. Every write carries the resourceVersion that it rests on, so one of
// two competing processes gets a conflict.
//
// Call Run() on one thread. Leads() is thread-safe.
class Lease {
 public:
  struct Options {
    std::string name_space;
    std::string name;
    std::string holder;                       // unique to this process, also after a restart
    Millis lasts = std::chrono::seconds(15);  // for others, since the last renewal
    Millis renew_every = std::chrono::seconds(5);
    Millis retry_every = std::chrono::seconds(2);
    // A leader that could not renew for this time stops leading, well before the Lease expires for
    // others.
    Millis renew_deadline = std::chrono::seconds(10);  // a request may take half of it
  };
  // Called on the thread of Run() when leadership changes.
  using OnChange = std::function<void(bool leads, const std::string& holder)>;
  // Called with the reason why the Lease cannot be taken or renewed, once per reason. Empty:
  // requests work again.
  using OnError = std::function<void(const std::optional<Error>& why)>;

  Lease(HttpTransport& transport, Options options, const Clock& clock, RequestObserver observer,
        OnChange on_change = {}, OnError on_error = {});

  // Runs until `stop`. Then it releases the Lease, so that another process need not wait.
  void Run(const std::stop_token& stop);
  // Tries once to take or renew the Lease. Returns the time until the next try.
  Millis Step(const std::stop_token& stop);
  // Releases the Lease if this process holds it.
  void Release();

  // Whether the Lease was renewed within renew_deadline, measured from before that request was
  // sent.
  bool Leads() const;

 private:
  // The object as last read from the server.
  struct Record {
    std::string version;
    std::string holder;  // empty: no holder
    Millis lasts{0};
    std::int64_t transitions = 0;
    std::string acquired;
    std::string text;  // the whole spec, to notice a change
  };
  static Result<Record> Parse(const Json& object, Millis lasts);
  Json Object(const Record& before, const std::string& now) const;
  Result<Record> Write(const Json& object, bool create, const std::stop_token& stop);
  Status TakeOrRenew(const std::stop_token& stop);
  Status Take(const std::stop_token& stop);
  Status Renew(const std::stop_token& stop);
  void Observe(Record record);
  void SetHeld(std::optional<SteadyTime> since);
  void ReportIfChanged();

  const ObjectClient client_;
  const Options options_;
  const Clock& clock_;
  const OnChange on_change_;
  const OnError on_error_;
  std::optional<Record> seen_;
  SteadyTime seen_at_;
  bool reported_ = false;  // the last value passed to on_change_
  bool raced_ = false;     // the last step met a conflict
  std::optional<std::string>
      reported_why_;  // the last reason passed to on_error_; empty text: no error
  mutable std::mutex mu_;
  std::optional<SteadyTime> renewed_at_;  // empty: not held
};

}  // namespace imagesweep::kube
