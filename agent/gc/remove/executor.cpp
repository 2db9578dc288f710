#include "agent/gc/remove/executor.h"

#include <algorithm>
#include <chrono>
#include <unordered_set>
#include <utility>

#include "agent/base/duration.h"
#include "agent/gc/remove/batch.h"
#include "agent/gc/remove/graceful_stop.h"

namespace imagesweep {
namespace {

constexpr Millis kMaxPlanAge = std::chrono::minutes(10);
// With a shorter pause, Reclaim waits for the next batch.
constexpr Millis kSoon{1'000};

bool ForSpace(const Decision& decision) {
  return decision.code == Code::kSpace || decision.code == Code::kCritical;
}

// The bytes to free until images like this one need not be removed for space.  0: unknown.
std::uint64_t StillMissing(const Decision& decision, const Policy& policy, const DiskUsage& disk) {
  const int used = decision.code == Code::kCritical ? policy.disk.critical.threshold_percent - 1
                                                    : policy.disk.low_percent;
  if (used <= 0) return 0;
  const auto wanted = static_cast<std::uint64_t>(static_cast<double>(disk.capacity_bytes) *
                                                 static_cast<double>(100 - used) / 100);
  return wanted > disk.available_bytes ? wanted - disk.available_bytes : 0;
}

// True if the disk use decides whether the image is removed.
bool NeedsMeasure(const Plan& plan, ImagePos at, const std::optional<DiskUsage>& disk) {
  return plan.free_space_target > 0 || (disk && ForSpace(plan.decisions[at]));
}

}  // namespace

std::string Executor::WhyUnavailable(const ImageId& id) const {
  return backoff_.WhyNot(id, clock_.Steady());
}

void Executor::Remember(const Outcome& outcome, const ImageId& id) {
  const SteadyTime now = clock_.Steady();
  if (outcome.kind == OutcomeKind::kSkipped && outcome.unavailable)
    backoff_.Failed(id,
                    outcome.detail.starts_with("skipped, ")
                        ? "it was " + outcome.detail
                        : "it was skipped before (" + outcome.detail + ")",
                    now);
  if (outcome.kind != OutcomeKind::kFailed) return;
  ++failures_;
  std::string why = "its removal failed before (" + outcome.detail + ")";
  if (outcome.lost)
    backoff_.Lost(id, std::move(why), now);
  else
    backoff_.Failed(id, std::move(why), now);
}

std::optional<std::string> Executor::ReasonToSkip(const Decision& decision, const Image& image,
                                                  const Policy& policy,
                                                  const std::optional<DiskUsage>& disk) const {
  if (std::string why = WhyUnavailable(image.id); !why.empty()) return why;
  if (!ForSpace(decision) || !disk) return std::nullopt;
  // The size of an image in the runtime is not the space that its removal frees, so measure the
  // disk use.
  const auto now = filesystem_.Stat(disk->mountpoint);
  if (!now) return "disk use is no longer known: " + now.error().what;
  const DiskThresholds& thresholds = policy.disk;
  const int critical = thresholds.critical.threshold_percent;
  if (decision.code == Code::kCritical && now->used_percent() < critical &&
      now->inodes_used_percent() < critical)
    return "disk use is at " + std::to_string(now->used_percent()) + "%, no longer critical";
  const auto pressed = [](const Thresholds& its, int before, int after) {
    return its.high_percent > 0 && before >= its.high_percent && after > its.low_percent;
  };
  if (!pressed(thresholds, disk->used_percent(), now->used_percent()) &&
      !pressed(thresholds.inodes, disk->inodes_used_percent(), now->inodes_used_percent()))
    return "disk use is at " + std::to_string(now->used_percent()) +
           "%, lowThresholdPercent is reached";
  return std::nullopt;
}

std::string Executor::ReasonToEnd(const Policy& policy, const std::stop_token& stop,
                                  const Hooks& hooks) const {
  if (stop.stop_requested()) return "shutting down";
  if (failures_ >= policy.limits.max_failures)
    return "limits.maxFailures " + std::to_string(failures_) + " reached";
  // The plan rests on the ages, ranks and disk use of its time.
  if (clock_.Steady() - begun_ > kMaxPlanAge)
    return "the plan is older than " + FormatDuration(kMaxPlanAge) +
           "; the next run evaluates the rest";
  return hooks.reason_to_end ? hooks.reason_to_end() : std::string();
}

// The disk use is measured after each batch.  So a batch removes for space only the images that are
// needed to free the missing space, by the figures of the layers.  If these figures are unknown, it
// removes one image.
std::vector<ImagePos> Executor::NextBatch(std::span<const ImagePos>& rest, const Plan& plan,
                                          const Policy& policy, const Evidence& evidence,
                                          const std::optional<DiskUsage>& disk,
                                          const ImageRemover& remover, Execution& execution,
                                          const Hooks& hooks) const {
  std::vector<ImagePos> batch;
  std::uint64_t coming = 0;
  while (!rest.empty() && batch.size() < remover.batch_size()) {
    const auto at = rest.front();
    const Decision& decision = plan.decisions[at];
    const bool needs_measure = NeedsMeasure(plan, at, disk);
    // The images of the batch may free enough that this one can stay.
    if (needs_measure && !batch.empty() &&
        (!decision.frees || plan.decisions[batch.back()].code != decision.code))
      break;
    if (auto why = ReasonToSkip(decision, evidence.images[at], policy, disk)) {
      rest = rest.subspan(1);
      execution.outcomes.push_back({at, OutcomeKind::kSkipped, *std::move(why)});
      if (hooks.on_outcome) hooks.on_outcome(execution.outcomes.back(), evidence.images[at]);
      continue;
    }
    batch.push_back(at);
    rest = rest.subspan(1);
    if (!needs_measure) continue;
    if (plan.free_space_target > 0 || !decision.frees) break;
    const auto now = filesystem_.Stat(disk->mountpoint);
    const std::uint64_t missing = now ? StillMissing(decision, policy, *now) : 0;
    coming += *decision.frees;
    if (coming >= missing) break;
  }
  return batch;
}

Execution Executor::Run(const Plan& plan, const Policy& policy, const Evidence& evidence,
                        const ImageIndex& index, const std::optional<DiskUsage>& disk,
                        ImageRemover& remover, const std::stop_token& stop, const Hooks& hooks) {
  Execution execution;
  failures_ = 0;
  bool removed_before = false;
  bool to_sync = false;  // an image was removed since the last Sync()
  begun_ = clock_.Steady();
  const GracefulStop graceful(stop, clock_);
  std::span<const ImagePos> rest = plan.removals;
  std::optional<SteadyTime> first_batch;
  const auto reclaim = [&] {
    const Status reclaimed = remover.Reclaim(graceful.token());
    if (!reclaimed && execution.stopped_early.empty())
      execution.stopped_early = "space may not be free yet: " + reclaimed.error().what;
  };
  const auto reclaim_before_next = [&] {
    if (std::ranges::none_of(rest, [&](auto at) { return NeedsMeasure(plan, at, disk); })) return;
    reclaim();
    if (disk && std::exchange(to_sync, false)) filesystem_.Sync(disk->mountpoint);
  };
  remover.BeginRun();
  reclaim_before_next();  // an earlier run may have left space to reclaim
  while (!rest.empty() && execution.stopped_early.empty()) {
    // All checks run after the pause.
    if (removed_before) clock_.Sleep(policy.limits.removal_delay, stop);
    removed_before = false;
    execution.stopped_early = ReasonToEnd(policy, stop, hooks);
    if (!execution.stopped_early.empty()) break;
    const auto images = NextBatch(rest, plan, policy, evidence, disk, remover, execution, hooks);
    if (images.empty()) continue;
    if (!first_batch) first_batch = clock_.Steady();
    if (hooks.before_batch) hooks.before_batch(images);
    Batch batch(rechecker_, evidence, index, remover, clock_,
                [&] { return ReasonToEnd(policy, stop, hooks); });
    BatchResult result =
        batch.Run(images, policy.limits.max_failures - failures_, stop, graceful.token());
    std::ranges::copy(result.recheck_window_seconds,
                      std::back_inserter(execution.recheck_window_seconds));
    if (hooks.after_batch) hooks.after_batch(result.outcomes);
    for (Outcome& outcome : result.outcomes) {
      const Image& image = evidence.images[outcome.image];
      removed_before = removed_before || outcome.kind == OutcomeKind::kRemoved;
      to_sync = to_sync || outcome.kind == OutcomeKind::kRemoved;
      Remember(outcome, image.id);
      execution.outcomes.push_back(std::move(outcome));
      if (hooks.on_outcome) hooks.on_outcome(execution.outcomes.back(), image);
    }
    execution.stopped_early = std::move(result.stopped_early);
    if (result.out_of_failures) execution.stopped_early = ReasonToEnd(policy, stop, hooks);
    if (result.refused) {
      if (stop.stop_requested()) {
        execution.stopped_early = "shutting down";
      } else {
        execution.stopped_early = result.refused->source + " could no longer be read";
        execution.refused = std::move(result.refused);
      }
    }
    if (policy.limits.removal_delay > kSoon) reclaim();
    reclaim_before_next();
  }
  reclaim();
  if (first_batch)
    execution.seconds = std::chrono::duration<double>(clock_.Steady() - *first_batch).count();
  return execution;
}

void Executor::Verify(const Evidence& evidence, const std::vector<Image>& listed_after,
                      std::vector<Outcome>& outcomes) {
  std::unordered_set<std::string_view> listed;
  for (const Image& image : listed_after) listed.insert(image.id.text());
  for (Outcome& outcome : outcomes) {
    const ImageId& id = evidence.images[outcome.image].id;
    if (outcome.kind == OutcomeKind::kFailed && !listed.contains(id.text())) {
      outcome.kind = OutcomeKind::kRemoved;  // removed before the failure
      outcome.detail = "the image is gone although the call failed: " + outcome.detail;
    }
    if (outcome.kind != OutcomeKind::kRemoved) continue;
    if (!listed.contains(id.text())) {
      backoff_.Succeeded(id);
      continue;
    }
    outcome.kind = OutcomeKind::kStillListed;
    outcome.detail = "the runtime reported success but still lists the image";
    backoff_.Failed(id, "the runtime still listed it after a successful removal", clock_.Steady());
  }
}

}  // namespace imagesweep
