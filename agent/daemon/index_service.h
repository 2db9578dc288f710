#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>

#include "agent/base/backoff.h"
#include "agent/daemon/index_status.h"
#include "agent/kube/index/workload_index_store.h"
#include "agent/kube/index/workload_index_writer.h"
#include "agent/model/ports.h"
#include "agent/telemetry/log.h"

namespace imagesweep {

// The loop of `imagesweep index`.  While this process leads, it publishes the images that workloads
// need when they change or when the published index is damaged, and renews the heartbeat once a
// minute otherwise.  While the workloads cannot be read it writes nothing, so that agents stop
// trusting the last index.  Owns nothing; one thread.
class IndexService {
 public:
  static constexpr Millis kPollInterval = std::chrono::seconds(2);  // between two steps
  static constexpr Millis kPace = std::chrono::seconds(5);          // between two publications
  static constexpr Millis kHeartbeat = std::chrono::seconds(60);    // without a change

  struct Dependencies {
    WorkloadReader& workloads;  // of the API server itself
    kube::WorkloadIndexWriter& writer;
    const kube::WorkloadIndexStore* seen;  // the index as agents see it; null: not checked
    std::function<bool()> leads;
    IndexStatus& status;
    Log& log;
    const Clock& clock;
  };
  IndexService(Dependencies parts, std::uint64_t seed);

  // Runs until `stop` is requested.
  void Run(const std::stop_token& stop);
  // Reads the workloads, and publishes or confirms if needed.  Returns the time until the next
  // step.
  Millis Step(const std::stop_token& stop);

 private:
  void Lead(const std::stop_token& stop);
  void Publish(const WorkloadEvidence& evidence, std::string digest, const std::stop_token& stop);
  void Confirm(const WorkloadEvidence& evidence, const std::stop_token& stop);
  bool Damaged();
  SystemTime WallTime(SteadyTime time) const;
  void Fail(const Error& why);

  Dependencies parts_;
  Backoff backoff_;
  bool led_ = false;
  std::string unread_;                      // the error of the last read of the workloads
  std::optional<std::string> digest_;       // of the published set; empty: not yet published
  std::optional<SteadyTime> published_at_;  // the last attempt
  SteadyTime written_at_;                   // the last success
  std::optional<SteadyTime> retry_at_;
  std::uint64_t checked_ = 0;  // changes() of `seen` at the last successful check
};

}  // namespace imagesweep
