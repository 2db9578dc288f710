#include "agent/gc/plan/reclaim_estimator.h"

#include <algorithm>

#include "agent/base/quantity.h"

namespace imagesweep {
namespace {

constexpr std::uint64_t kLeastBytes = std::uint64_t{1} << 20;
constexpr std::uint64_t kLeastInodes = 1'000;
// The search for a group ends at this size, because each image costs a marking of the graph.
constexpr std::size_t kMaxTogether = 64;

bool IsLittle(const DiskSpace& gain, const DiskSpace& goal) {
  return gain.bytes < kLeastBytes && (goal.inodes == 0 || gain.inodes < kLeastInodes);
}

}  // namespace

ReclaimEstimator::ReclaimEstimator(const PlanContext& context) : context_(context) {
  if (context.graph() != nullptr) incremental_.emplace(*context.graph());
  for (const Image& image : context.seen().images) all_bytes_ += image.size_bytes;
}

bool ReclaimEstimator::Knows(ImagePos at) const {
  return incremental_ && !context_.graph()->attribution().records[at].empty();
}

void ReclaimEstimator::Add(ImagePos at) {
  added_.push_back(at);
  if (Knows(at)) {
    const layers::Reclaim freed = incremental_->Add(at);
    total_.bytes += freed.bytes;
    total_.inodes += freed.inodes;
  } else {
    total_.bytes += context_.image(at).size_bytes;
    bytes_by_size_ += context_.image(at).size_bytes;
  }
}

std::optional<DiskSpace> ReclaimEstimator::Next(ImagePos at) {
  if (!Knows(at)) return std::nullopt;
  const layers::Reclaim freed = incremental_->Gain(at);
  if (freed.unsized > 0) return std::nullopt;
  return DiskSpace{freed.bytes, freed.inodes};
}

bool ReclaimEstimator::TooLittle(ImagePos at, const DiskSpace& goal) {
  const auto gain = Next(at);
  return gain && IsLittle(*gain, goal);
}

std::vector<ImagePos> ReclaimEstimator::EnoughTogether(const std::vector<ImagePos>& images,
                                                       const DiskSpace& goal) {
  if (!incremental_) return {};
  layers::IncrementalReclaim trial = *incremental_;
  const layers::Reclaim before = trial.total();
  const auto enough = [&](const layers::Reclaim& total) {
    return !IsLittle({total.bytes - before.bytes, total.inodes - before.inodes}, goal);
  };
  std::vector<ImagePos> group;
  for (const auto at : images) {
    if (group.size() == kMaxTogether) return {};
    group.push_back(at);
    trial.Add(at);
    if (enough(trial.total())) break;
  }
  if (!enough(trial.total())) return {};
  // Leave out images that contribute nothing.
  for (std::size_t i = 0; i + 1 < group.size();) {
    layers::IncrementalReclaim without = *incremental_;
    for (std::size_t j = 0; j < group.size(); ++j)
      if (j != i) without.Add(group[j]);
    if (enough(without.total()))
      group.erase(group.begin() + static_cast<std::ptrdiff_t>(i));
    else
      ++i;
  }
  return group;
}

std::uint64_t ReclaimEstimator::Inodes() const {
  if (all_bytes_ == 0) return total_.inodes;
  const double share = static_cast<double>(context_.seen().disk->inodes_used()) *
                       static_cast<double>(bytes_by_size_) / static_cast<double>(all_bytes_);
  return total_.inodes + static_cast<std::uint64_t>(share);
}

bool ReclaimEstimator::Reached(const DiskSpace& goal) const {
  return total_.bytes >= goal.bytes && Inodes() >= goal.inodes;
}

std::string ReclaimEstimator::Of(const DiskSpace& goal) const {
  if (goal.bytes > 0) return HumanBytes(total_.bytes) + " of " + HumanBytes(goal.bytes);
  return "about " + std::to_string(Inodes()) + " of " + std::to_string(goal.inodes) + " inodes";
}

void PredictInOrder(const PlanContext& context, Plan& plan) {
  if (context.graph() == nullptr) return;
  ReclaimEstimator reclaim(context);
  for (const auto at : plan.removals) {
    if (const auto gain = reclaim.Next(at)) plan.decisions[at].frees = gain->bytes;
    reclaim.Add(at);
  }
}

}  // namespace imagesweep
