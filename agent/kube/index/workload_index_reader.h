#pragma once

#include <cstddef>
#include <mutex>
#include <optional>

#include "agent/kube/client/lister.h"
#include "agent/kube/index/workload_index_store.h"
#include "agent/model/ports.h"

namespace imagesweep::kube {

// The workloads as the leader of an index published them. Reads what the watch knows. Without a
// watch, or before its first list, it lists the index itself. Thread-safe.
//
// A set that lacks more than half of the references of the previous one, or more than twenty, is
// refused (kIncomplete) for the first two minutes. A leader notices a set that is not its own
// within seconds, and its heartbeat comes every minute.
class WorkloadIndexReader final : public WorkloadReader {
 public:
  // `store` is null without a watch (on the command line).
  WorkloadIndexReader(const Lister& lister, IndexName index, const WorkloadIndexStore* store,
                      const Clock& clock)
      : lister_(lister), index_(std::move(index)), store_(store), clock_(clock) {}

  static constexpr Millis kConfirmLoss = std::chrono::minutes(2);

  Result<WorkloadEvidence> Read(SteadyTime newer_than, const std::stop_token& stop) override;

 private:
  Result<WorkloadEvidence> ReadSet(const std::stop_token& stop) const;
  Status CheckLoss(std::size_t references);

  const Lister& lister_;
  const IndexName index_;
  const WorkloadIndexStore* const store_;
  const Clock& clock_;

  struct Loss {
    std::size_t references = 0;
    SteadyTime since;
  };
  std::mutex mu_;
  std::optional<std::size_t> known_;  // references of the last set
  std::optional<Loss> loss_;
};

}  // namespace imagesweep::kube
