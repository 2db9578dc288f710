#include <algorithm>
#include <memory>
#include <optional>
#include <thread>

#include "agent/base/random_seed.h"
#include "agent/cmd/agent_threads.h"
#include "agent/cmd/commands.h"
#include "agent/cmd/connect.h"
#include "agent/cmd/render.h"
#include "agent/cmd/version.h"
#include "agent/daemon/agent.h"
#include "agent/daemon/node_adapters.h"
#include "agent/daemon/policy_choice.h"
#include "agent/daemon/use_recorder.h"
#include "agent/server/http/server.h"

namespace imagesweep {
namespace {

constexpr Millis kUntilWatched = std::chrono::seconds(2);
constexpr Millis kAskAgain{20};

Result<std::unique_ptr<HttpServer>> Serve(const Options& options, AgentContext& shared) {
  if (options.listen_address.empty()) return std::unique_ptr<HttpServer>();
  const auto live = [&shared](const std::string&) { return shared.health.Live(); };
  auto routes = options.status_page == StatusPage::kOff
                    ? std::map<std::string, HttpServer::Route>()
                    : shared.status.Routes(options.status_page == StatusPage::kLoopback);
  routes.merge(std::map<std::string, HttpServer::Route>(
      {{"/livez", live},
       {"/healthz", live},
       {"/readyz", [&shared](const std::string& query) { return shared.health.Ready(query); }},
       {"/metrics", [&shared](const std::string&) {
          return HttpReply{200, "text/plain; version=0.0.4; charset=utf-8",
                           shared.metrics.Render()};
        }}}));
  return HttpServer::Start(options.listen_address, std::move(routes));
}

// The error of invalid options, checked before anything starts; empty: valid.
std::optional<Error> ValidateOptions(const Options& options) {
  if (options.policy_file.empty() == options.policy_configmap.empty())
    return Error{ErrorKind::kInvalid,
                 "agent requires a policy: set either --policy-file or --policy-configmap"};
  if (!options.policy_configmap.empty()) {
    if (auto name = ConfigMapNameOf(options); !name) return name.error();
    if (!options.policy_override_configmap.empty())
      if (auto name = OverrideNameOf(options); !name) return name.error();
    if (options.without_kubernetes)
      return Error{ErrorKind::kInvalid,
                   "--policy-configmap cannot be used with --without-kubernetes"};
  }
  if (auto why = ValidateWorkloadFlags(options)) return why;
  const auto own = OwnPodOf(options);
  if (!own) return own.error();
  // In a cluster, our own pod shows that a list of pods is complete.
  if (!options.without_kubernetes && options.kubeconfig.empty() && !*own)
    return Error{
        ErrorKind::kInvalid,
        "agent in a pod requires POD_NAME, POD_NAMESPACE, and POD_UID from the downward API; "
        "outside a pod, set --kubeconfig"};
  return std::nullopt;
}

void RunUntilStopped(const Options& options, AgentContext& shared, kube::Cluster* cluster,
                     const std::stop_token& stop) {
  auto runtime = AwaitRuntime(options, shared, stop);
  if (runtime == nullptr) return;
  NodeAdapters node(std::move(runtime), shared.clock, NodeAdapterOptionsOf(options));
  const auto history = History::Open(options.state_dir, shared.clock);
  AgeStore::Options ages = AgeStoreOptionsOf(options);
  UseLog use_log(options.state_dir, ages.boot_id);
  std::optional<UseRecorder> recorder;
  UseSource::Hooks hooks = LoggedUses(shared);
  hooks.changed = [&recorder] { recorder->Notify(); };
  const auto uses = node.runtime->WatchUses(std::move(hooks));
  UseRecorder::Sources sources{[&uses] { return uses->Drain(); }};
  if (cluster != nullptr) sources.pods = [cluster] { return cluster->DrainRecentReferences(); };
  recorder.emplace(std::move(sources), use_log, shared.clock,
                   [&shared](const Error& why) { shared.UsesNotWritten(why); });
  ages.watched_since = [&recorder] { return recorder->watched_since(); };
  const auto age_store = AgeStore::Open(options.state_dir, shared.clock, std::move(ages));
  std::function<void(std::shared_ptr<const Report>)> on_run;
  if (options.status_page != StatusPage::kOff && !options.listen_address.empty()) {
    shared.status.SetHistory(*history, /*details=*/false);
    on_run = [&](auto report) {
      shared.status.SetRun(std::move(report));
      shared.status.SetHistory(*history, /*details=*/true);
    };
  }
  WorkloadReader* workloads = cluster == nullptr
                                  ? nullptr
                                  : WorkloadsOf(options, *cluster, WorkloadsFrom::kDirect,
                                                [&shared] { shared.wakeup.Notify(); });
  const auto own_pod = OwnPodOf(options);
  Sweeper sweeper(node.Dependencies(cluster, cluster == nullptr ? nullptr : &cluster->pods(),
                                    workloads, *age_store, history.get()),
                  NodeNameOf(options), own_pod ? *own_pod : std::nullopt,
                  [&recorder] { return recorder->Take(); });
  Agent agent(
      {sweeper, shared.policies, shared.wakeup, shared.health, shared.metrics, *shared.log,
       shared.clock, shared.events.get(), std::move(on_run), &shared.freshness, &*shared.mode},
      options.dry_run.value_or(false), RandomSeed());
  const std::jthread runtime_watch(
      [&](const std::stop_token& quit) { WatchRuntime(node.runtime->reader(), shared, quit); });
  const std::jthread use_watch([&uses](const std::stop_token& quit) { uses->Run(quit); });
  const std::jthread use_writer([&recorder](const std::stop_token& quit) { recorder->Run(quit); });
  // The first run is more accurate if uses are already watched; a runtime without events never is.
  const SteadyTime patience = shared.clock.Steady() + kUntilWatched;
  while (!recorder->watched_since() && shared.clock.Steady() < patience)
    if (!shared.clock.Sleep(kAskAgain, stop)) break;
  agent.Run(stop);
}

}  // namespace

int RunAgent(const Options& options, const std::stop_token& stop) {
  if (const auto complaint = ValidateOptions(options)) {
    PrintError(complaint->what);
    return kExitUsage;
  }
  AgentContext shared(options);
  auto log = Log::Create(options.log_format.value_or(LogFormat::kJson), options.log_level);
  if (!log) {
    PrintError(log.error().what);
    return kExitUsage;
  }
  shared.log = *log;
  shared.mode.emplace(options.dry_run.value_or(false), **log,
                      [&shared](NodeEvent event) { shared.Publish(std::move(event)); });
  shared.log->Info("Started", {{"version", Version()},
                               {"revision", Revision()},
                               {"node", NodeNameOf(options)},
                               {"withoutKubernetes", options.without_kubernetes}});
  auto server = Serve(options, shared);
  if (!server) {
    PrintError(server.error().what);
    return server.error().kind == ErrorKind::kInvalid ? kExitUsage : kExitFailed;
  }
  PolicyChoice choice(
      "configmap/" + options.policy_configmap, "configmap/" + options.policy_override_configmap,
      [&shared](const auto& text, const std::string& from) {
        shared.PolicyChanged(text ? shared.policies.Offer(*text, from)
                                  : shared.policies.Unavailable(text.error().what));
      },
      [&shared](const auto& seen) {
        if (seen)
          shared.freshness.Seen(*seen);
        else
          shared.freshness.Lost(seen.error().what);
      });
  std::unique_ptr<kube::Cluster> cluster;  // last, because its watches use the variables above
  if (!options.without_kubernetes) {
    kube::ClusterOptions how;
    how.observer = [&](auto verb, auto resource, auto code) {
      shared.metrics.CountKubeRequest(verb, resource, code);
    };
    auto connected = ConnectToCluster(options, std::move(how), shared.clock);
    if (!connected) {
      PrintError(connected.error().what);
      return kExitFailed;
    }
    cluster = *std::move(connected);
    if (options.events)
      shared.events = std::make_unique<EventPublisher>(
          NodeNameOf(options),
          [&cluster](const auto& write, const auto& quit) {
            return cluster->WriteEvent(write, quit);
          },
          *shared.log, shared.clock, EventPublisher::DefaultRetry(RandomSeed()));
    cluster->WatchPods([&shared] { shared.wakeup.Notify(); });
    if (options.workloads == WorkloadsFrom::kDirect)
      cluster->WatchWorkloads([&shared] { shared.wakeup.Notify(); });
  }
  std::jthread events;
  if (shared.events)
    events = std::jthread([&](const std::stop_token& quit) { shared.events->Run(quit); });
  std::jthread policy_file;
  if (!options.policy_file.empty()) {
    policy_file = std::jthread(
        [&](const std::stop_token& quit) { FollowPolicyFile(options.policy_file, shared, quit); });
  } else {
    FollowConfigMaps(options, *cluster, choice, shared.clock);
  }
  const std::jthread policy_freshness(
      [&](const std::stop_token& quit) { WatchPolicyFreshness(shared, quit); });
  RunUntilStopped(options, shared, cluster.get(), stop);
  shared.log->Info("Stopped");
  return kExitDone;
}

}  // namespace imagesweep
