#pragma once

#include "agent/kube/lister.h"
#include "agent/kube/workload_index_store.h"
#include "agent/model/ports.h"

namespace imagesweep::kube {

// The workloads as the leader of an index published them.  Reads what the watch knows; without one,
// or before its first list, lists by itself.  Any thread.
class WorkloadIndexReader final : public WorkloadReader {
 public:
  // `store` is null where there is no watch (the command line).
  WorkloadIndexReader(const Lister& lister, IndexName index, const WorkloadIndexStore* store,
                      const Clock& clock)
      : lister_(lister), index_(std::move(index)), store_(store), clock_(clock) {}

  Result<WorkloadEvidence> Read(SteadyTime newer_than, const std::stop_token& stop) override;

 private:
  const Lister& lister_;
  const IndexName index_;
  const WorkloadIndexStore* const store_;
  const Clock& clock_;
};

}  // namespace imagesweep::kube
