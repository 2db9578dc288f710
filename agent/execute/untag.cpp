#include "agent/execute/untag.h"

#include <algorithm>
#include <iterator>
#include <numeric>

#include "agent/execute/graceful_stop.h"

namespace imagesweep {
namespace {

constexpr std::size_t kBatch = 50;

}  // namespace

std::vector<NameOutcome> Untagger::Drop(const Plan& plan, const Evidence& evidence,
                                        const std::vector<std::uint32_t>& batch,
                                        const Looked& looked, std::vector<double>& windows,
                                        const std::stop_token& stop) {
  const GracefulStop graceful(stop, clock_);
  std::vector<NameOutcome> outcomes;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    if (!looked.spared[i].empty()) {
      outcomes.push_back({batch[i], OutcomeKind::kSpared, looked.spared[i]});
      continue;
    }
    // Too old to drop by, not to spare by.
    const auto window = clock_.Steady() - looked.at;
    if (window > kMaxRecheckWindow || stop.stop_requested()) continue;
    if (remover_ == nullptr) {
      outcomes.push_back({batch[i], OutcomeKind::kWouldRemove, {}});
      continue;
    }
    windows.push_back(std::chrono::duration<double>(window).count());
    const NameToDrop& name = plan.untags[batch[i]];
    const Image& image = evidence.images[name.image];
    const Status dropped = remover_->Drop(image, image.tags[name.tag],
                                          clock_.Now() - name.minimum_age, graceful.token());
    if (dropped)
      outcomes.push_back({batch[i], OutcomeKind::kRemoved, {}});
    else if (dropped.error().kind == ErrorKind::kIncomplete)
      outcomes.push_back({batch[i], OutcomeKind::kSpared, dropped.error().what});
    else
      outcomes.push_back({batch[i], OutcomeKind::kFailed, dropped.error().what});
  }
  return outcomes;
}

Untagging Untagger::Run(const Plan& plan, const Evidence& evidence, const ImageIndex& index,
                        int may_fail, const std::function<std::string()>& reason_to_end,
                        const std::stop_token& stop) {
  Untagging result;
  std::vector<std::uint32_t> left(plan.untags.size());
  std::iota(left.begin(), left.end(), 0U);
  const auto spare_all = [&](const std::string& why) {
    for (const auto at : left) result.outcomes.push_back({at, OutcomeKind::kSpared, why});
    left.clear();
  };
  for (int in_vain = 0; !left.empty();) {
    const auto failures =
        std::ranges::count(result.outcomes, OutcomeKind::kFailed, &NameOutcome::kind);
    const std::string why = stop.stop_requested()  ? "told to stop"
                            : failures >= may_fail ? "too many failed"
                                                   : reason_to_end();
    if (!why.empty()) {
      spare_all(why);
      break;
    }
    const std::vector<std::uint32_t> batch(
        left.begin(), left.begin() + static_cast<std::ptrdiff_t>(std::min(kBatch, left.size())));
    std::vector<NameToDrop> planned;
    planned.reserve(batch.size());
    for (const auto at : batch) planned.push_back(plan.untags[at]);
    const LookResult seen = look_.LookAtNames(planned, evidence, index, stop);
    if (const auto* refusal = std::get_if<Refusal>(&seen)) {
      if (!stop.stop_requested()) result.refused = *refusal;
      spare_all("could not look again: " + refusal->error.what);
      break;
    }
    const auto outcomes =
        Drop(plan, evidence, batch, std::get<Looked>(seen), result.recheck_window_seconds, stop);
    for (const NameOutcome& outcome : outcomes) std::erase(left, outcome.untag);
    std::ranges::copy(outcomes, std::back_inserter(result.outcomes));
    in_vain = outcomes.empty() ? in_vain + 1 : 0;
    if (in_vain == kMaxLooksInVain)
      spare_all("the machine is too busy to act within 50ms of the last look");
  }
  return result;
}

}  // namespace imagesweep
