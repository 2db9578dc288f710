#include <algorithm>
#include <iterator>
#include <memory>
#include <thread>

#include "agent/app/agent.h"
#include "agent/app/event_publisher.h"
#include "agent/app/filesystem.h"
#include "agent/app/native_containerd.h"
#include "agent/app/outage.h"
#include "agent/app/policy_choice.h"
#include "agent/app/run_id.h"
#include "agent/app/status.h"
#include "agent/app/watched_ledger.h"
#include "agent/cli/commands.h"
#include "agent/cli/connect.h"
#include "agent/cli/render.h"
#include "agent/cli/version.h"
#include "agent/containerd/use_watch.h"
#include "agent/cri/image_remover.h"
#include "agent/cri/runtime.h"
#include "agent/http/server.h"
#include "agent/report/events.h"

namespace imagesweep {
namespace {

constexpr Millis kFileReread{500};
constexpr Millis kRuntimeCheck = std::chrono::seconds(10);
constexpr Millis kRuntimeRetry = std::chrono::seconds(1);
constexpr Millis kUnreachableAfter = std::chrono::minutes(2);

// What the threads of one agent share; the members' order is the start order.
struct Shared {
  explicit Shared(const Options& given) : options(given) {}

  const Options& options;
  RealClock clock;
  std::shared_ptr<Log> log;
  Metrics metrics{Version(), Revision(), clock};
  Health health{clock};
  PolicyStore policies;
  StatusBoard status{clock, health, policies, Version(), NodeNameOf(options)};
  Wakeup wakeup;
  std::unique_ptr<EventPublisher> events;  // empty: none are written; set before others use it

  void Tell(NodeEvent event) const {
    if (events) events->Offer(std::move(event));
  }

  std::string OriginOf(const PolicySource& source) const {
    if (source.description.starts_with("file:")) return "file";
    const bool instead = source.description == "configmap/" + options.policy_override_configmap;
    return instead ? "override" : options.policy_origin;
  }

  void PolicyChanged(PolicyStore::Change change) {
    const auto active = policies.Active();
    health.SetPolicy(active ? std::optional(active->source) : std::nullopt, policies.Problem());
    switch (change) {
      case PolicyStore::Change::kNone:
        return;
      case PolicyStore::Change::kRejected:
        metrics.PolicyRejected();
        log->Warn("Rejected policy",
                  {{"err", policies.Problem()}, {"keepsLastGood", active != nullptr}});
        Tell(PolicyInvalidEvent(policies.Problem(), active != nullptr));
        return;
      case PolicyStore::Change::kLoaded:
        metrics.PolicyLoaded(active->source, OriginOf(active->source), active->policy.dry_run,
                             active->policy.suspend, clock.Now());
        Tell(PolicyLoadedEvent(active->source, options.dry_run.value_or(active->policy.dry_run),
                               active->policy.suspend));
        log->Info("Loaded policy", {{"source", active->source.description},
                                    {"sha256", active->source.sha256},
                                    {"dryRun", active->policy.dry_run},
                                    {"suspend", active->policy.suspend}});
        wakeup.Notify();
        return;
    }
  }
};

// A file is read again and again: cheap, and right for every way in which a file can be replaced.
void FollowPolicyFile(const std::string& path, Shared& shared, const std::stop_token& stop) {
  do {
    const auto text = ReadTextFile(path);
    shared.PolicyChanged(text ? shared.policies.Offer(*text, "file:" + path)
                              : shared.policies.Unavailable(text.error().what));
  } while (shared.clock.Sleep(kFileReread, stop));
}

void WatchRuntime(RuntimeReader& runtime, Shared& shared, const std::stop_token& stop) {
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
      shared.Tell(RuntimeUnreachableEvent(identity.error().what));
    if (identity && (first || !up)) {
      shared.log->Info("Reached runtime", {{"runtime", identity->name},
                                           {"version", identity->version},
                                           {"endpoint", identity->endpoint}});
      shared.wakeup.Notify();
    } else if (!identity && up) {
      shared.log->Warn("Lost runtime", {{"err", identity.error().what}});
    }
    up = static_cast<bool>(identity);
    first = false;
    if (!shared.clock.Sleep(up ? kRuntimeCheck : kRuntimeRetry, stop)) return;
  }
}

// Waits for a runtime when there is none yet: an agent does not exit for that.
std::shared_ptr<cri::Connection> AwaitRuntime(const Options& options, Shared& shared,
                                              const std::stop_token& stop) {
  const auto observe = [&metrics = shared.metrics](auto method, auto code, double seconds) {
    metrics.CountRuntimeCall(method, code, seconds);
  };
  Outage outage(kUnreachableAfter);
  for (bool said = false; !stop.stop_requested(); said = true) {
    auto connection = ConnectToRuntime(options, observe, stop);
    if (connection) return *std::move(connection);
    shared.health.Beat();
    shared.health.SetRuntime({}, connection.error());
    if (outage.Note(true, shared.clock.Steady()))
      shared.Tell(RuntimeUnreachableEvent(connection.error().what));
    if (!said) shared.log->Warn("Found no runtime", {{"err", connection.error().what}});
    shared.clock.Sleep(kRuntimeRetry, stop);
  }
  return nullptr;
}

Result<std::unique_ptr<HttpServer>> Serve(const Options& options, Shared& shared) {
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

// The ConfigMap's policy, or that of the override while there is one.  `choice` must outlive the
// cluster's watches.
void FollowConfigMaps(const Options& options, kube::Cluster& cluster, PolicyChoice& choice) {
  const auto base = ConfigMapNameOf(options);
  cluster.WatchConfigMap(base->name_space, base->name, options.policy_key,
                         [&choice](const auto& text) { choice.SetBase(text); });
  if (options.policy_override_configmap.empty()) {
    choice.SetOverride(Error{ErrorKind::kNotFound, "none is named"});
    return;
  }
  const auto instead = OverrideNameOf(options);
  cluster.WatchConfigMap(instead->name_space, instead->name, kOverrideKey,
                         [&choice](const auto& text) { choice.SetOverride(text); });
}

// What must be right before anything starts; empty when all is.
std::optional<Error> Complaint(const Options& options) {
  if (options.policy_file.empty() == options.policy_configmap.empty())
    return Error{ErrorKind::kInvalid,
                 "agent needs a policy: give one of --policy-file and --policy-configmap"};
  if (!options.policy_configmap.empty()) {
    if (auto name = ConfigMapNameOf(options); !name) return name.error();
    if (!options.policy_override_configmap.empty())
      if (auto name = OverrideNameOf(options); !name) return name.error();
    if (options.without_kubernetes)
      return Error{ErrorKind::kInvalid,
                   "--policy-configmap needs Kubernetes, and --without-kubernetes rules it out"};
  }
  if (auto why = WorkloadsComplaint(options)) return why;
  const auto own = OwnPodOf(options);
  if (!own) return own.error();
  // Inside a cluster our own pod is what shows that a list is the whole list.
  if (!options.without_kubernetes && options.kubeconfig.empty() && !*own)
    return Error{
        ErrorKind::kInvalid,
        "agent in a pod needs POD_NAME, POD_NAMESPACE and POD_UID from the downward API (or "
        "--kubeconfig, outside one)"};
  return std::nullopt;
}

containerd::UseWatch::Options WatchUses(Shared& shared) {
  containerd::UseWatch::Options options;
  options.seed = RandomSeed();
  options.subscribed = [&shared] { shared.log->Debug("Subscribed to containerd's events", {}); };
  options.lost = [&shared](const Error& why) {
    shared.log->Warn("Lost containerd's events", {{"err", why.what}});
  };
  return options;
}

void RunUntilStopped(const Options& options, Shared& shared, kube::Cluster* cluster,
                     const std::stop_token& stop) {
  const auto connection = AwaitRuntime(options, shared, stop);
  if (connection == nullptr) return;
  cri::Runtime runtime(connection);
  cri::CriImageRemover remover(connection);
  NativeContainerd native(*connection, runtime, remover, shared.clock);
  StatvfsFilesystem filesystem;
  const auto ledger = Ledger::Open(options.state_dir, shared.clock, ReadBootId());
  const auto history = History::Open(options.state_dir, shared.clock);
  containerd::UseWatch uses(connection->channel(), shared.clock, WatchUses(shared));
  WatchedLedger watched(*ledger);
  Sweeper::RecentReferences recent = [&uses, &watched, cluster] {
    auto [references, complete] = uses.Drain();
    if (cluster != nullptr) {
      kube::Recent recently = cluster->DrainRecentReferences();
      std::ranges::move(recently.references, std::back_inserter(references));
      complete = complete && recently.complete;
    }
    if (!complete) watched.MayHaveMissedUses();
    return references;
  };
  decltype(NodeParts::kubelet) kubelet;
  if (options.read_kubelet && cluster != nullptr)
    kubelet = [cluster](const std::stop_token& quit) {
      return cluster->ReadKubeletThresholds(quit);
    };
  std::function<void(std::shared_ptr<const Report>)> on_run;
  if (options.status_page != StatusPage::kOff && !options.listen_address.empty()) {
    shared.status.SetHistory(*history, /*details=*/false);
    on_run = [&](auto report) {
      shared.status.SetRun(std::move(report));
      shared.status.SetHistory(*history, /*details=*/true);
    };
  }
  WorkloadReader* workloads =
      cluster == nullptr ? nullptr : WorkloadsOf(options, *cluster, WorkloadsFrom::kOff, [&shared] {
        shared.wakeup.Notify();
      });
  const auto own_pod = OwnPodOf(options);
  Sweeper sweeper(
      {runtime, cluster == nullptr ? nullptr : &cluster->pods(), remover, filesystem, watched,
       shared.clock, history.get(), std::move(kubelet), workloads, &native.layers, &native.remover,
       NativeContainerd::Archivers(*connection), &native.names},
      NodeNameOf(options), own_pod ? *own_pod : std::nullopt, std::move(recent));
  Agent agent({sweeper, shared.policies, shared.wakeup, shared.health, shared.metrics, *shared.log,
               shared.clock, shared.events.get(), std::move(on_run)},
              options.dry_run.value_or(false), RandomSeed());
  const std::jthread runtime_watch(
      [&](const std::stop_token& quit) { WatchRuntime(runtime, shared, quit); });
  const std::jthread use_watch([&uses](const std::stop_token& quit) { uses.Run(quit); });
  agent.Run(stop);
}

}  // namespace

int RunAgent(const Options& options, const std::stop_token& stop) {
  if (const auto complaint = Complaint(options)) {
    PrintError(complaint->what);
    return kExitUsage;
  }
  Shared shared(options);
  auto log = Log::Create(options.log_format.value_or(LogFormat::kJson), options.log_level);
  if (!log) {
    PrintError(log.error().what);
    return kExitUsage;
  }
  shared.log = *log;
  shared.log->Info("Started", {{"version", Version()},
                               {"revision", Revision()},
                               {"node", NodeNameOf(options)},
                               {"withoutKubernetes", options.without_kubernetes}});
  auto server = Serve(options, shared);
  if (!server) {
    PrintError(server.error().what);
    return server.error().kind == ErrorKind::kInvalid ? kExitUsage : kExitFailed;
  }
  PolicyChoice choice("configmap/" + options.policy_configmap,
                      "configmap/" + options.policy_override_configmap,
                      [&shared](const auto& text, const std::string& from) {
                        shared.PolicyChanged(text ? shared.policies.Offer(*text, from)
                                                  : shared.policies.Unavailable(text.error().what));
                      });
  std::unique_ptr<kube::Cluster> cluster;  // last, as its watches use what stands above
  if (!options.without_kubernetes) {
    auto connected = ConnectToCluster(
        options,
        [&](auto verb, auto resource, auto code) {
          shared.metrics.CountKubeRequest(verb, resource, code);
        },
        shared.clock);
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
    FollowConfigMaps(options, *cluster, choice);
  }
  RunUntilStopped(options, shared, cluster.get(), stop);
  shared.log->Info("Stopped");
  return kExitDone;
}

}  // namespace imagesweep
