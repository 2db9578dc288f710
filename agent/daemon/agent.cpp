#include "agent/daemon/agent.h"

#include <algorithm>
#include <utility>

#include "agent/base/duration.h"
#include "agent/report/documents/text.h"
#include "agent/telemetry/events.h"

namespace imagesweep {
namespace {

constexpr Millis kFirstRetry{2'000};
constexpr Millis kLastRetry{60'000};
constexpr Millis kHeartbeat{60'000};

}  // namespace

Agent::Agent(Dependencies parts, bool force_dry_run, std::uint64_t seed)
    : parts_(std::move(parts)),
      force_dry_run_(force_dry_run),
      started_(parts_.clock.Steady()),
      refused_backoff_(kFirstRetry, kLastRetry, seed),
      random_(seed) {}

void Agent::Run(const std::stop_token& stop) {
  std::shared_ptr<const ActivePolicy> last;
  SteadyTime due = parts_.clock.Steady();
  bool refused = false;
  while (!stop.stop_requested()) {
    parts_.health.Beat();
    const auto active = parts_.policies.Active();
    const bool changed = active != last;
    if (active && (changed || parts_.clock.Steady() >= due)) {
      const Trigger trigger = changed && last ? Trigger::kPolicyChange : Trigger::kInterval;
      parts_.health.SetRunning();
      const auto report = std::make_shared<const Report>(RunOnce(active, trigger, stop));
      const Millis wait = UntilNext(*report);
      due = parts_.clock.Steady() + wait;
      parts_.health.SetNextRun(parts_.clock.Now() + wait);
      refused = report->refused.has_value();
      if (parts_.on_run && !stop.stop_requested()) parts_.on_run(report);
      last = active;
      continue;  // the policy may have changed during the run
    }
    const auto left = std::chrono::ceil<Millis>(due - parts_.clock.Steady());
    // Woken after an aborted run: a source is readable again.
    if (parts_.wakeup.Wait(active ? std::clamp(left, Millis(0), kHeartbeat) : kHeartbeat, stop) &&
        refused)
      due = parts_.clock.Steady();
  }
}

Report Agent::RunOnce(const std::shared_ptr<const ActivePolicy>& active, Trigger trigger,
                      const std::stop_token& stop) {
  const SteadyTime start = parts_.clock.Steady();
  SweepOptions options;
  if (force_dry_run_) options.dry_run = true;
  options.running_for = std::chrono::floor<Millis>(start - started_);
  options.hooks.on_outcome = [this](const Outcome&, const Image&) { parts_.health.Beat(); };
  // A copy of an image may take longer than the liveness probe waits.
  options.hooks.on_progress = [this] { parts_.health.Beat(); };
  // An edit must stop a batch in progress, because suspend is the emergency brake.
  options.hooks.reason_to_end = [this, &active]() -> std::string {
    parts_.health.Beat();  // called before each recheck, and a batch may have many
    if (parts_.policies.Active() != active) return "the policy was edited";
    if (parts_.freshness != nullptr && parts_.freshness->Refuse())
      return "the policy cannot be read";
    return {};
  };
  if (parts_.mode != nullptr)
    options.on_labels = [this](const NodeLabels& labels) { parts_.mode->LabelsRead(labels); };
  if (parts_.freshness != nullptr) options.refused = parts_.freshness->Refuse();
  Report report = parts_.sweeper.Sweep(*active, options, stop);
  if (stop.stop_requested() && report.refused) return report;  // interrupted, not a failed read
  const std::chrono::duration<double> took = parts_.clock.Steady() - start;
  parts_.metrics.RecordRun(
      report, trigger, took.count(),
      report.layers ? std::optional(report.layers->removed.bytes) : std::nullopt);
  parts_.health.SetLastRun(report);
  // An edit ended this dry run, so its policy is no longer in force.  The next run reports again.
  const bool outdated = report.dry_run && parts_.policies.Active() != active;
  if (parts_.events != nullptr && !outdated)
    for (NodeEvent& event : EventsOf(report)) parts_.events->Offer(std::move(event));
  LogRun(report);
  return report;
}

void Agent::LogRun(const Report& report) {
  for (const Outcome& outcome : report.outcomes) {
    const Image& image = report.observation.images[outcome.image];
    const Decision& decision = report.plan.decisions[outcome.image];
    const Log::Fields fields = {
        {"node", report.node},
        {"run", report.run},
        {"image", ShownName(image)},
        {"imageID", image.id.text()},
        {"sizeBytes", static_cast<std::int64_t>(image.size_bytes)},
        {"code", std::string(ToString(decision.code))},
        {"reason", decision.reason},
        {"age", HumanDuration(report.observation.ages[outcome.image].unused_for)},
        {"dryRun", report.dry_run},
        {"err", outcome.detail}};
    switch (outcome.kind) {
      case OutcomeKind::kRemoved:
        parts_.log.Info("Removed image", fields);
        break;
      case OutcomeKind::kWouldRemove:
        parts_.log.Info("Would remove image", fields);
        break;
      case OutcomeKind::kSkipped:
        parts_.log.Info("Skipped image", fields);
        break;
      case OutcomeKind::kFailed:
      case OutcomeKind::kStillListed:
        parts_.log.Warn("Failed to remove image", fields);
        break;
    }
  }
  if (report.refused) {
    parts_.log.Warn("Run aborted", {{"node", report.node},
                                    {"run", report.run},
                                    {"source", report.refused->source},
                                    {"err", report.refused->error.what}});
    return;
  }
  const AwaitingConfirmation waiting = report.plan.CountAwaitingConfirmation();
  parts_.log.Info("Finished run",
                  {{"node", report.node},
                   {"run", report.run},
                   {"policySha256", report.policy.sha256},
                   {"dryRun", report.dry_run},
                   {"images", static_cast<std::int64_t>(report.plan.decisions.size())},
                   {"toRemove", static_cast<std::int64_t>(report.plan.removals.size())},
                   {"awaitConfirmation", static_cast<std::int64_t>(waiting.images)},
                   {"runsToConfirm", static_cast<std::int64_t>(waiting.fewest_runs)},
                   {"removed", static_cast<std::int64_t>(report.Count(OutcomeKind::kRemoved))},
                   {"summary", Summary(report)}});
  // After the line of their run, because some describe its result, such as the disk usage.
  for (const std::string& name : report.missing_after)
    parts_.log.Error("Referenced image is missing after the run",
                     {{"run", report.run}, {"image", ShownName(name)}});
  for (const std::string& warning : report.warnings)
    parts_.log.Warn("Run warning", {{"run", report.run}, {"err", warning}});
}

// Random within ± jitterPercent, so that nodes do not run at the same time.
Millis Agent::UntilNext(const Report& report) {
  if (report.refused) return refused_backoff_.Next();
  refused_backoff_.Reset();
  const Policy& policy = report.effective_policy;
  const auto spread = policy.interval.count() * policy.jitter_percent / 100;
  Millis wait = policy.interval +
                Millis(std::uniform_int_distribution<Millis::rep>(-spread, spread)(random_));
  // Also run when the initial delay ends, and when a window opens.
  const auto delay_left =
      std::chrono::ceil<Millis>(started_ + policy.initial_delay - parts_.clock.Steady());
  if (delay_left > Millis::zero()) wait = std::min(wait, delay_left);
  const SystemTime now = parts_.clock.Now();
  if (const auto opening = NextOpening(policy.windows, now); opening && *opening > now)
    wait = std::min(wait, std::chrono::ceil<Millis>(*opening - now));
  return wait;
}

}  // namespace imagesweep
