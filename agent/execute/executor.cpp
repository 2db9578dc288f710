#include "agent/execute/executor.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <unordered_set>

#include "agent/base/duration.h"

namespace imagesweep {
namespace {

constexpr std::chrono::milliseconds kMaxWindow{50};
constexpr int kMaxLooks = 3;
constexpr Millis kMaxPlanAge = std::chrono::minutes(10);
constexpr Millis kGraceAfterStop{8'000};

// Told to stop, a removal in hand gets this much longer before it is cancelled.
class GracefulStop {
 public:
  GracefulStop(const std::stop_token& stop, const Clock& clock)
      : waiter_([stop, &clock, this](const std::stop_token& done) {
          std::mutex mu;
          std::condition_variable_any woken;
          const std::stop_callback wake(stop, [&] {
            const std::scoped_lock guard(mu);
            woken.notify_all();
          });
          std::unique_lock lock(mu);
          woken.wait(lock, done, [&] { return stop.stop_requested(); });
          lock.unlock();
          if (clock.Sleep(kGraceAfterStop, done)) cancel_.request_stop();
        }) {}
  std::stop_token token() const { return cancel_.get_token(); }

 private:
  std::stop_source cancel_;
  std::jthread waiter_;
};

}  // namespace

Executor::Attempt Executor::TryOne(const Image& image, std::uint32_t at, const Evidence& evidence,
                                   const ImageIndex& index, ImageRemover& remover,
                                   const std::stop_token& stop) {
  for (int look = 0; look < kMaxLooks; ++look) {
    const LookResult seen = look_.Look(image, evidence, index, stop);
    if (const auto* refusal = std::get_if<Refusal>(&seen))
      return {
          {at, OutcomeKind::kSpared, "could not look again: " + refusal->error.what}, *refusal, {}};
    if (const auto* reason = std::get_if<NotAnyMore>(&seen))
      return {{at, OutcomeKind::kSpared, reason->why}, {}, {}};

    const GracefulStop graceful(stop, clock_);
    const auto window = clock_.Steady() - std::get<StillUnused>(seen).looked_at;
    if (window > kMaxWindow) continue;  // we were held up: that look is too old to act on
    if (stop.stop_requested()) return {{at, OutcomeKind::kSpared, "told to stop"}, {}, {}};
    const auto removed = remover.Remove(image, graceful.token());
    const double seconds = std::chrono::duration<double>(window).count();
    if (!removed) return {{at, OutcomeKind::kFailed, removed.error().what}, {}, seconds};
    return {
        {at, *removed == Removal::kRemoved ? OutcomeKind::kRemoved : OutcomeKind::kWouldRemove, {}},
        {},
        seconds};
  }
  return {{at, OutcomeKind::kSpared,
           "the machine is too busy to act within 50ms of the last look; left for the next run"},
          {},
          {}};
}

std::optional<std::string> Executor::ReasonToSkip(const Decision& decision, const Image& image,
                                                  const Policy& policy,
                                                  const std::optional<DiskUsage>& disk) const {
  if (const auto wait = backoff_.Wait(image.id, clock_.Steady()))
    return "its removal failed before; tried again in " + HumanDuration(*wait);
  const bool for_space = decision.code == Code::kSpace || decision.code == Code::kCritical;
  if (!for_space || !disk) return std::nullopt;
  // What the runtime calls an image's size is not what comes free, so the disk itself says when to
  // end.
  const auto now = filesystem_.Stat(disk->mountpoint);
  if (!now) return "disk use is not known any more: " + now.error().what;
  const DiskThresholds& marks = policy.disk;
  const int critical = marks.critical.threshold_percent;
  if (decision.code == Code::kCritical && now->used_percent() < critical &&
      now->inodes_used_percent() < critical)
    return "disk use is at " + std::to_string(now->used_percent()) + "%, critical no more";
  const auto pressed = [](const Marks& its, int before, int after) {
    return its.high_percent > 0 && before >= its.high_percent && after > its.low_percent;
  };
  if (!pressed(marks, disk->used_percent(), now->used_percent()) &&
      !pressed(marks.inodes, disk->inodes_used_percent(), now->inodes_used_percent()))
    return "disk use is at " + std::to_string(now->used_percent()) + "%, the low mark is reached";
  return std::nullopt;
}

std::string Executor::ReasonToEnd(const Policy& policy, int failures, SteadyTime begun,
                                  const std::stop_token& stop, const Hooks& hooks) const {
  if (stop.stop_requested()) return "told to stop";
  if (failures >= policy.limits.max_failures)
    return "limits.maxFailures " + std::to_string(failures) + " reached";
  // Ages, retention and disk use were judged when the plan was made.
  if (clock_.Steady() - begun > kMaxPlanAge)
    return "the plan is older than " + FormatDuration(kMaxPlanAge) + "; the rest is judged anew";
  return hooks.reason_to_end ? hooks.reason_to_end() : std::string();
}

Execution Executor::Run(const Plan& plan, const Policy& policy, const Evidence& evidence,
                        const ImageIndex& index, const std::optional<DiskUsage>& disk,
                        ImageRemover& remover, const std::stop_token& stop, const Hooks& hooks) {
  Execution execution;
  int failures = 0;
  bool removed_before = false;
  const SteadyTime begun = clock_.Steady();
  for (const auto at : plan.removals) {
    // Everything that may say no is asked after the pause, not before it.
    if (removed_before) clock_.Sleep(policy.limits.removal_delay, stop);
    removed_before = false;
    execution.stopped_early = ReasonToEnd(policy, failures, begun, stop, hooks);
    if (!execution.stopped_early.empty()) break;
    const Image& image = evidence.images[at];
    if (auto why = ReasonToSkip(plan.decisions[at], image, policy, disk)) {
      execution.outcomes.push_back({at, OutcomeKind::kSpared, *std::move(why)});
      if (hooks.on_outcome) hooks.on_outcome(execution.outcomes.back(), image);
      continue;
    }
    if (hooks.before_removal) hooks.before_removal(at);
    Attempt attempt = TryOne(image, at, evidence, index, remover, stop);
    if (attempt.window_seconds) execution.recheck_window_seconds.push_back(*attempt.window_seconds);
    removed_before = attempt.outcome.kind == OutcomeKind::kRemoved;
    if (attempt.outcome.kind == OutcomeKind::kFailed) {
      ++failures;
      backoff_.Failed(image.id, clock_.Steady());
    }
    execution.outcomes.push_back(std::move(attempt.outcome));
    if (hooks.on_outcome) hooks.on_outcome(execution.outcomes.back(), image);
    if (attempt.refused) {
      if (stop.stop_requested()) {
        execution.stopped_early = "told to stop";
      } else {
        execution.stopped_early = attempt.refused->source + " could not be read any more";
        execution.refused = std::move(attempt.refused);
      }
      break;
    }
  }
  return execution;
}

void Executor::Verify(const Evidence& evidence, const std::vector<Image>& listed_after,
                      std::vector<Outcome>& outcomes) {
  std::unordered_set<std::string_view> listed;
  for (const Image& image : listed_after) listed.insert(image.id.text());
  for (Outcome& outcome : outcomes) {
    if (outcome.kind != OutcomeKind::kRemoved) continue;
    const ImageId& id = evidence.images[outcome.image].id;
    if (!listed.contains(id.text())) {
      backoff_.Succeeded(id);
      continue;
    }
    outcome.kind = OutcomeKind::kStillListed;
    outcome.detail = "the runtime reported success and lists it all the same";
    backoff_.Failed(id, clock_.Steady());
  }
}

}  // namespace imagesweep
