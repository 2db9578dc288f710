#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>

#include "agent/base/clock.h"
#include "agent/kube/object_client.h"

namespace imagesweep::kube {

// Leadership by a coordination.k8s.io/v1 Lease, by the rules of client-go
// (tools/leaderelection/leaderelection.go): who holds it renews it; who does not may take it when
// its record has not changed for as long as the record says that it holds.  That is judged by when
// we saw it change, on the monotonic clock: the times in it are of another node's clock and only
// for people.  Every write carries the resourceVersion it rests on, so of two takers one gets a
// conflict.
//
// Run() on one thread; Leads() on any.
class Lease {
 public:
  struct Options {
    std::string name_space;
    std::string name;
    std::string holder;                       // of this process alone, after a restart too
    Millis lasts = std::chrono::seconds(15);  // for others, from its last renewal
    Millis renew_every = std::chrono::seconds(5);
    Millis retry_every = std::chrono::seconds(2);
    // A leader that could not renew for so long is none any more: well before it runs out for
    // others.
    Millis renew_deadline = std::chrono::seconds(10);  // a request has half of it
  };
  // Told on Run()'s thread when that changes.
  using OnChange = std::function<void(bool leads, const std::string& holder)>;
  // Why it cannot be had or renewed, once until it is another reason; empty: it can be asked for.
  using OnError = std::function<void(const std::optional<Error>& why)>;

  Lease(HttpTransport& transport, Options options, const Clock& clock, RequestObserver observer,
        OnChange on_change = {}, OnError on_error = {});

  // Until told to stop; then it is given back, so that another need not wait.
  void Run(const std::stop_token& stop);
  // One try to take or renew it.  How long until the next.
  Millis Step(const std::stop_token& stop);
  // Gives it back when it is ours.
  void Release();

  // Renewed within renew_deadline, counted from before that request was sent.
  bool Leads() const;

 private:
  // The object as the server had it last.
  struct Record {
    std::string version;
    std::string holder;  // empty: nobody's
    Millis lasts{0};
    std::int64_t transitions = 0;
    std::string acquired;
    std::string text;  // all that it says, to notice a change
  };
  static Result<Record> Parse(const Json& object, Millis lasts);
  Json Object(const Record& before, const std::string& now) const;
  Result<Record> Write(const Json& object, bool create, const std::stop_token& stop);
  Status TakeOrRenew(const std::stop_token& stop);
  Status Take(const std::stop_token& stop);
  Status Renew(const std::stop_token& stop);
  void Observe(Record record);
  void SetHeld(std::optional<SteadyTime> since);
  void TellIfChanged();

  const ObjectClient client_;
  const Options options_;
  const Clock& clock_;
  const OnChange on_change_;
  const OnError on_error_;
  std::optional<Record> seen_;
  SteadyTime seen_at_;
  bool told_ = false;                    // what on_change_ heard last
  bool raced_ = false;                   // the last step met a conflict
  std::optional<std::string> told_why_;  // what on_error_ heard last; empty text: all is well
  mutable std::mutex mu_;
  std::optional<SteadyTime> renewed_at_;  // empty: not ours
};

}  // namespace imagesweep::kube
