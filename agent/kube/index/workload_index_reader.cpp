#include "agent/kube/index/workload_index_reader.h"

#include <variant>

#include "agent/base/duration.h"

namespace imagesweep::kube {
namespace {

bool FellSharply(std::size_t before, std::size_t now) {
  return now < before && (before - now > 20 || (before - now) * 2 > before);
}

}  // namespace

Result<WorkloadEvidence> WorkloadIndexReader::Read(SteadyTime /*newer_than*/,
                                                   const std::stop_token& stop) {
  auto read = ReadSet(stop);
  if (!read) return read;
  if (auto checked = CheckLoss(read->references.size()); !checked)
    return checked.error().Wrap("the workload index " + index_.display());
  return read;
}

Status WorkloadIndexReader::CheckLoss(std::size_t references) {
  const std::scoped_lock lock(mu_);
  if (known_ && FellSharply(*known_, references)) {
    // An even smaller set is another loss, with its own waiting time.
    if (!loss_ || FellSharply(loss_->references, references))
      loss_ = Loss{references, clock_.Steady()};
    if (clock_.Steady() - loss_->since < kConfirmLoss)
      return Error{ErrorKind::kIncomplete, "fell from " + std::to_string(*known_) +
                                               " references to " + std::to_string(references) +
                                               "; waiting " + HumanDuration(kConfirmLoss) +
                                               " to confirm the loss"};
  }
  loss_.reset();
  known_ = references;
  return Done{};
}

Result<WorkloadEvidence> WorkloadIndexReader::ReadSet(const std::stop_token& stop) const {
  if (store_ != nullptr && store_->listed()) return store_->Read();
  const auto listed = lister_.List("", stop);
  if (const auto* failure = std::get_if<ListFailure>(&listed))
    return failure->error.Wrap("the workload index " + index_.display());
  // A separate store: the watch's store must not get a list that may be older than what it knows.
  WorkloadIndexStore once(index_, clock_);
  if (auto status = once.Replace(std::get<ObjectList>(listed)); !status)
    return status.error().Wrap("the workload index " + index_.display());
  return once.Read();
}

}  // namespace imagesweep::kube
