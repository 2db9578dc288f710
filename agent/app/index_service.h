#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>

#include "agent/app/index_status.h"
#include "agent/base/backoff.h"
#include "agent/kube/workload_index_store.h"
#include "agent/kube/workload_index_writer.h"
#include "agent/model/ports.h"
#include "agent/report/log.h"

namespace imagesweep {

// The loop of `imagesweep index`: while this process leads, what the cluster's workloads need is
// published whenever it changes, confirmed once a minute when it does not, and published anew when
// somebody damaged it.  When the workloads cannot be read nothing is written at all, so that agents
// stop to believe what was published last.  Owns nothing; one thread.
class IndexService {
 public:
  static constexpr Millis kLook = std::chrono::seconds(2);        // how often it looks
  static constexpr Millis kPace = std::chrono::seconds(5);        // between two publications
  static constexpr Millis kHeartbeat = std::chrono::seconds(60);  // without a change

  struct Parts {
    WorkloadReader& workloads;  // of the API server itself
    kube::WorkloadIndexWriter& writer;
    const kube::WorkloadIndexStore* seen;  // what agents see; null: not looked at
    std::function<bool()> leads;
    IndexStatus& status;
    Log& log;
    const Clock& clock;
  };
  IndexService(Parts parts, std::uint64_t seed);

  // Until told to stop.
  void Run(const std::stop_token& stop);
  // One look, and what it asks for.  How long until the next.
  Millis Step(const std::stop_token& stop);

 private:
  void Lead(const std::stop_token& stop);
  void Publish(const WorkloadEvidence& evidence, std::string digest, const std::stop_token& stop);
  void Confirm(const WorkloadEvidence& evidence, const std::stop_token& stop);
  bool Damaged();
  SystemTime WallTime(SteadyTime time) const;
  void Fail(const Error& why);

  Parts parts_;
  Backoff backoff_;
  bool led_ = false;
  std::string unread_;                      // why the workloads could not be read last
  std::optional<std::string> digest_;       // of the published set; empty: none by this leader
  std::optional<SteadyTime> published_at_;  // the last try
  SteadyTime written_at_;                   // the last success
  std::optional<SteadyTime> retry_at_;
  std::uint64_t checked_ = 0;  // changes of `seen` that were found good
};

}  // namespace imagesweep
