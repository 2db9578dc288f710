#include "agent/cmd/node_session.h"

#include <unistd.h>

#include <utility>

#include "agent/base/duration.h"
#include "agent/cmd/connect.h"
#include "agent/cmd/progress.h"
#include "agent/daemon/node_adapters.h"
#include "agent/daemon/policy_store.h"
#include "agent/kube/cluster.h"
#include "agent/state/history.h"

namespace imagesweep {

namespace {

// Adds the address of the server to errors, for users of commands.
class NamedPodReader final : public PodReader {
 public:
  NamedPodReader(PodReader& pods, std::string url) : pods_(pods), url_(std::move(url)) {}
  Result<PodEvidence> Read(Millis max_age, const std::stop_token& stop) override {
    auto read = pods_.Read(max_age, stop);
    if (!read) return Unreached(std::move(read).error(), url_);
    return read;
  }

 private:
  PodReader& pods_;
  const std::string url_;
};

}  // namespace

struct NodeSession::Connections {
  Options options;
  RealClock clock;
  std::unique_ptr<NodeAdapters> node;
  std::unique_ptr<kube::Cluster> cluster;  // null: --without-kubernetes
  std::string url;                         // of the API server
  std::unique_ptr<NamedPodReader> pods;    // null like the cluster
  std::unique_ptr<AgeStore> age_store;
  std::unique_ptr<History> history;
  std::unique_ptr<Sweeper> sweeper;
};

NodeSession::NodeSession(std::unique_ptr<Connections> parts) : parts_(std::move(parts)) {}
NodeSession::NodeSession(NodeSession&&) noexcept = default;
NodeSession& NodeSession::operator=(NodeSession&&) noexcept = default;
NodeSession::~NodeSession() = default;

Sweeper& NodeSession::sweeper() {
  return *parts_->sweeper;
}

Result<NodeSession> NodeSession::Open(const Options& options, const std::stop_token& stop) {
  auto own_pod = OwnPodOf(options);
  if (!own_pod) return std::move(own_pod).error();
  if (auto why = ValidateWorkloadFlags(options)) return *std::move(why);
  auto parts = std::make_unique<Connections>();
  parts->options = options;
  if (!options.without_kubernetes) {
    auto cluster = ConnectToCluster(options, kube::ClusterOptions(), parts->clock);
    if (!cluster) return std::move(cluster).error();
    parts->cluster = *std::move(cluster);
    if (auto server = ApiServerOf(options)) parts->url = server->url;
    parts->pods = std::make_unique<NamedPodReader>(parts->cluster->pods(), parts->url);
  }
  auto runtime = OpenNodeRuntime(RuntimeOptionsOf(options), parts->clock, stop);
  if (!runtime) return std::move(runtime).error();
  parts->node = std::make_unique<NodeAdapters>(*std::move(runtime), parts->clock,
                                               NodeAdapterOptionsOf(options));
  parts->age_store = AgeStore::Open(options.state_dir, parts->clock, AgeStoreOptionsOf(options));
  parts->history = History::Open(options.state_dir, parts->clock);
  WorkloadReader* workloads =
      parts->cluster ? WorkloadsOf(options, *parts->cluster, WorkloadsFrom::kDirect) : nullptr;
  parts->sweeper = std::make_unique<Sweeper>(
      parts->node->Dependencies(parts->cluster.get(), parts->pods.get(), workloads,
                                *parts->age_store, parts->history.get()),
      NodeNameOf(options), *std::move(own_pod));
  return NodeSession(std::move(parts));
}

std::string NodeSession::WhyEnd(const ActivePolicy& active, const std::stop_token& stop) {
  const auto now = ReadPolicy(stop);
  if (!now) return "the policy can no longer be read: " + now.error().what;
  const bool same = now->source.sha256 == active.source.sha256 &&
                    now->source.description == active.source.description;
  return same ? "" : "the policy was edited";
}

Result<ActivePolicy> NodeSession::ReadPolicy(const std::stop_token& stop) {
  auto active = ReadPolicyAsWritten(stop);
  const auto& age = parts_->options.minimum_age;
  if (!active || !age) return active;
  active->policy = WithMinimumAge(std::move(active->policy), *age);
  active->source.description += ", with minimumAge " + FormatDuration(*age);
  return active;
}

Report NodeSession::Sweep(const ActivePolicy& active, SweepOptions sweep,
                          const std::stop_token& stop) {
  sweep.dry_run = parts_->options.dry_run.value_or(true);
  if (!*sweep.dry_run) sweep.hooks.reason_to_end = [&] { return WhyEnd(active, stop); };
  Progress progress(isatty(STDERR_FILENO) != 0);
  if (!parts_->options.quiet && !*sweep.dry_run) progress.Watch(sweep.hooks);
  return sweeper().Sweep(active, sweep, stop);
}

Result<ActivePolicy> NodeSession::ReadPolicyAsWritten(const std::stop_token& stop) {
  const Options& options = parts_->options;
  if (!options.policy_file.empty()) return LoadPolicyFile(options.policy_file);
  if (options.policy_configmap.empty()) return ActivePolicy{Policy::Default(), {"defaults", ""}};
  auto name = ConfigMapNameOf(options);
  if (!name) return std::move(name).error();
  if (!parts_->cluster)
    return Error{ErrorKind::kInvalid,
                 "--policy-configmap cannot be used with --without-kubernetes"};
  const auto read = [&](const std::string& key) {
    return parts_->cluster->ReadConfigMap(name->name_space, name->name, key, stop);
  };
  Result<std::string> text = Error{ErrorKind::kNotFound, "no override is configured"};
  if (!options.policy_override_configmap.empty()) {
    const auto base = std::exchange(name, OverrideNameOf(options));
    if (!name) return std::move(name).error();
    text = read(kOverrideKey);
    if (!text && text.error().kind == ErrorKind::kNotFound) name = base;
  }
  if (!text && text.error().kind == ErrorKind::kNotFound) text = read(options.policy_key);
  if (!text) return Unreached(std::move(text).error(), parts_->url);
  auto parsed = ParseActivePolicy(*text, name->description());
  if (!parsed) return Error{ErrorKind::kInvalid, name->description() + ":\n" + parsed.error().what};
  return parsed;
}

// Reading must not create the directory or the history.
Result<std::vector<RemovalEntry>> ReadRemovals(const Options& options, const Clock& clock) {
  if (options.state_dir.empty())
    return Error{ErrorKind::kInvalid, "--state-dir is empty, so no history is stored"};
  const auto exists = History::Exists(options.state_dir);
  if (!exists)
    return Error{exists.error().kind, exists.error().what +
                                          ": no runs recorded there; set --state-dir to the "
                                          "directory that the agent or `imagesweep sweep` uses"};
  if (!*exists)
    return Error{ErrorKind::kNotFound, "no removal is recorded in " + options.state_dir +
                                           "; set --state-dir to the directory that the agent or "
                                           "`imagesweep sweep` uses"};
  const auto history = History::Open(options.state_dir, clock);
  auto removals = history->Removals({});
  // A failed read must not look like an empty history.
  if (removals && removals->empty() && !history->warnings().empty())
    return Error{ErrorKind::kIncomplete, history->warnings().front()};
  return removals;
}

}  // namespace imagesweep
