#include "agent/kube/workload_index_reader.h"

#include <variant>

namespace imagesweep::kube {

Result<WorkloadEvidence> WorkloadIndexReader::Read(SteadyTime /*newer_than*/,
                                                   const std::stop_token& stop) {
  if (store_ != nullptr && store_->listed()) return store_->Read();
  const auto listed = lister_.List("", stop);
  if (const auto* failure = std::get_if<ListFailure>(&listed))
    return failure->error.Wrap("the workload index " + index_.display());
  // Of its own: the watch's must not be given a list that may be older than what it knows.
  WorkloadIndexStore once(index_, clock_);
  if (auto status = once.Replace(std::get<ObjectList>(listed)); !status)
    return status.error().Wrap("the workload index " + index_.display());
  return once.Read();
}

}  // namespace imagesweep::kube
