#include "agent/cmd/agent_threads.h"

#include <optional>
#include <utility>

#include "agent/base/random_seed.h"
#include "agent/cmd/connect.h"
#include "agent/cmd/version.h"
#include "agent/daemon/outage.h"
#include "agent/gc/observe/image_filesystem.h"
#include "agent/telemetry/events.h"

namespace imagesweep {
namespace {

constexpr Millis kFileReread{500};
constexpr Millis kFreshnessCheck = std::chrono::seconds(2);
constexpr Millis kRuntimeCheck = std::chrono::seconds(10);
constexpr Millis kRuntimeRetry = std::chrono::seconds(1);
constexpr Millis kLogAgain = std::chrono::hours(1);
constexpr Millis kUnreachableAfter = std::chrono::minutes(2);

std::string OriginOf(const PolicySource& source, const Options& options) {
  if (source.description.starts_with("file:")) return "file";
  const bool instead = source.description == "configmap/" + options.policy_override_configmap;
  return instead ? "override" : options.policy_origin;
}

}  // namespace

AgentContext::AgentContext(const Options& given)
    : options(given),
      metrics(Version(), Revision(), clock),
      status(clock, health, policies, Version(), NodeNameOf(given), given.dry_run.value_or(false)) {
}

void AgentContext::Publish(NodeEvent event) const {
  if (events) events->Offer(std::move(event));
}

void AgentContext::UsesNotWritten(const Error& why) {
  const SteadyTime now = clock.Steady();
  if (uses_not_written && now - *uses_not_written < kLogAgain) return;
  uses_not_written = now;
  log->Warn("Failed to record image uses",
            {{"err", why.what}, {"then", "commands on this node treat this time as unwatched"}});
}

void AgentContext::PolicyChanged(PolicyStore::Change change) {
  const auto active = policies.Active();
  health.SetPolicy(active ? std::optional(active->source) : std::nullopt, policies.Problem());
  switch (change) {
    case PolicyStore::Change::kNone:
      return;
    case PolicyStore::Change::kRejected:
      metrics.PolicyRejected();
      log->Warn("Rejected policy",
                {{"err", policies.Problem()}, {"keepsLastGood", active != nullptr}});
      Publish(PolicyInvalidEvent(policies.Problem(), active != nullptr));
      return;
    case PolicyStore::Change::kLoaded:
      metrics.PolicyLoaded(active->source, OriginOf(active->source, options),
                           active->policy.dry_run, active->policy.suspend, clock.Now());
      log->Info("Loaded policy", {{"source", active->source.description},
                                  {"sha256", active->source.sha256},
                                  {"dryRun", active->policy.dry_run},
                                  {"suspend", active->policy.suspend}});
      mode->PolicyLoaded(active);
      wakeup.Notify();
      return;
  }
}

// Polls the file: cheap, and correct for every way to replace a file.
void FollowPolicyFile(const std::string& path, AgentContext& shared, const std::stop_token& stop) {
  do {
    const auto text = ReadTextFile(path);
    shared.PolicyChanged(text ? shared.policies.Offer(*text, "file:" + path)
                              : shared.policies.Unavailable(text.error().what));
    if (text)
      shared.freshness.Seen(shared.clock.Steady());
    else
      shared.freshness.Lost(text.error().what);
  } while (shared.clock.Sleep(kFileReread, stop));
}

void FollowConfigMaps(const Options& options, kube::Cluster& cluster, PolicyChoice& choice,
                      const Clock& clock) {
  const auto base = ConfigMapNameOf(options);
  const auto seen = [&clock](const std::optional<Error>& lost) {
    return lost ? PolicyChoice::Seen(*lost) : PolicyChoice::Seen(clock.Steady());
  };
  cluster.WatchConfigMap(
      base->name_space, base->name, options.policy_key,
      [&choice](const auto& text) { choice.SetBase(text); },
      [&choice, seen](const auto& lost) { choice.BaseRead(seen(lost)); });
  if (options.policy_override_configmap.empty()) {
    choice.WithoutOverride();
    return;
  }
  const auto instead = OverrideNameOf(options);
  cluster.WatchConfigMap(
      instead->name_space, instead->name, kOverrideKey,
      [&choice](const auto& text) { choice.SetOverride(text); },
      [&choice, seen](const auto& lost) { choice.OverrideRead(seen(lost)); });
}

void WatchPolicyFreshness(AgentContext& shared, const std::stop_token& stop) {
  bool reported = false;
  bool refused = false;
  do {
    const std::string problem = shared.freshness.Problem();
    const auto refusal = shared.freshness.Refuse();
    shared.metrics.SetPolicyUnread(shared.freshness.UnreadFor());
    shared.health.SetPolicyUnread(problem);
    const bool news = problem.empty() ? reported : !reported || (refusal && !refused);
    reported = !problem.empty();
    refused = refusal.has_value();
    if (!news) continue;
    if (reported) {
      shared.metrics.PolicyRejected();
      shared.log->Warn("Cannot read policy", {{"err", problem}, {"refusesRuns", refused}});
      shared.Publish(PolicyUnreadEvent(problem));
    } else {
      if (shared.policies.Problem().empty()) shared.metrics.PolicyConfirmed();
      shared.log->Info("Policy is readable again", {});
      shared.wakeup.Notify();  // an aborted run need not wait longer
    }
  } while (shared.clock.Sleep(kFreshnessCheck, stop));
}

std::unique_ptr<NodeRuntime> AwaitRuntime(const Options& options, AgentContext& shared,
                                          const std::stop_token& stop) {
  RuntimeOptions runtime = RuntimeOptionsOf(options);
  runtime.must_answer = true;
  runtime.observer = [&metrics = shared.metrics](auto call, auto result, double seconds) {
    metrics.CountRuntimeCall(call, result, seconds);
  };
  Outage outage(kUnreachableAfter);
  for (bool said = false; !stop.stop_requested(); said = true) {
    auto opened = OpenNodeRuntime(runtime, shared.clock, stop);
    if (opened) return *std::move(opened);
    shared.health.Beat();
    shared.health.SetRuntime({}, opened.error());
    if (outage.Note(true, shared.clock.Steady()))
      shared.Publish(RuntimeUnreachableEvent(opened.error().what));
    if (!said) shared.log->Warn("Container runtime not reachable", {{"err", opened.error().what}});
    shared.clock.Sleep(kRuntimeRetry, stop);
  }
  return nullptr;
}

void WatchRuntime(RuntimeReader& runtime, AgentContext& shared, const std::stop_token& stop) {
  bool up = true;
  bool first = true;
  Outage outage(kUnreachableAfter);
  for (;;) {
    const auto identity = runtime.Identity(stop);
    if (stop.stop_requested()) return;
    shared.metrics.SetRuntimeUp(static_cast<bool>(identity));
    shared.health.SetRuntime(identity ? *identity : RuntimeIdentity{},
                             identity ? std::nullopt : std::optional(identity.error()));
    if (outage.Note(!identity, shared.clock.Steady()))
      shared.Publish(RuntimeUnreachableEvent(identity.error().what));
    if (identity && (first || !up)) {
      shared.log->Info("Connected to container runtime", {{"runtime", identity->name},
                                                          {"version", identity->version},
                                                          {"endpoint", identity->endpoint}});
      shared.wakeup.Notify();
    } else if (!identity && up) {
      shared.log->Warn("Lost connection to container runtime", {{"err", identity.error().what}});
    }
    up = static_cast<bool>(identity);
    first = false;
    if (!shared.clock.Sleep(up ? kRuntimeCheck : kRuntimeRetry, stop)) return;
  }
}

UseSource::Hooks LoggedUses(AgentContext& shared) {
  UseSource::Hooks hooks;
  hooks.subscribed = [&shared] { shared.log->Debug("Subscribed to runtime events", {}); };
  hooks.lost = [&shared](const Error& why) {
    shared.log->Warn("Lost runtime events", {{"err", why.what}});
  };
  return hooks;
}

}  // namespace imagesweep
