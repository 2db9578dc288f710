#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "agent/base/clock.h"
#include "agent/base/guarded.h"
#include "agent/kube/index/workload_index_writer.h"
#include "agent/server/http/server.h"

namespace imagesweep {

// Probes and metrics of `imagesweep index`.  Live: its loop makes progress.  Ready: the Lease can
// be read or renewed and, on the leader, the newest set is published; a standby is ready.  Any
// thread.
class IndexStatus {
 public:
  IndexStatus(std::string version, const Clock& clock);

  void Beat();
  void SetLeads(bool leads);
  // Empty: the problem is solved.
  void SetLeaseProblem(const std::string& problem);
  void SetWorkloadsProblem(const std::string& problem);
  void SetPublishProblem(const std::string& problem);
  void Published(const kube::WorkloadIndexWriter::Published& published, double seconds);
  void PublishFailed();
  void Confirmed();
  void CountRequest(std::string_view verb, std::string_view resource, std::string_view code);

  HttpReply Live() const;
  // With "verbose", lists each check, as the readyz of kube-apiserver.
  HttpReply Ready(const std::string& query) const;
  // The text exposition format, version 0.0.4.
  std::string Metrics() const;

 private:
  struct Conditions {
    SteadyTime beat;
    bool leads = false;
    bool whole = false;  // the leader has published the newest set
    std::string lease = "not requested yet", workloads, publish;
    kube::WorkloadIndexWriter::Published last{};
    std::optional<SystemTime> published_at, confirmed_at;
    double seconds = 0;
    std::uint64_t published = 0, failed = 0;
    std::map<std::string, std::uint64_t> requests;  // by labels
  };
  const std::string version_;
  const Clock& clock_;
  Guarded<Conditions> state_;
};

}  // namespace imagesweep
