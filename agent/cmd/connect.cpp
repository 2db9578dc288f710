#include "agent/cmd/connect.h"

#include <array>
#include <cctype>

#include <unistd.h>

#include "agent/base/random_seed.h"
#include "agent/state/state_dir.h"

namespace imagesweep {

namespace {

constexpr const char* kCure =
    "; set --kubeconfig FILE, or --without-kubernetes on a host without a cluster";
constexpr const char* kCureOfNoAuthority =
    "; imagesweep trusts only the certificate authority of the cluster, while kubectl also trusts "
    "those of the system; to add one, run `kubectl config set-cluster NAME "
    "--certificate-authority=FILE --embed-certs=true`";

Result<ConfigMapName> ParseName(const std::string& flag, const std::string& text) {
  const auto slash = text.find('/');
  if (slash == std::string::npos || slash == 0 || slash + 1 == text.size() ||
      text.find('/', slash + 1) != std::string::npos)
    return Error{ErrorKind::kInvalid, flag + " \"" + text + "\" is not NAMESPACE/NAME"};
  return ConfigMapName{text.substr(0, slash), text.substr(slash + 1)};
}

}  // namespace

Result<ConfigMapName> ConfigMapNameOf(const Options& options) {
  return ParseName("--policy-configmap", options.policy_configmap);
}

Result<ConfigMapName> OverrideNameOf(const Options& options) {
  return ParseName("--policy-override-configmap", options.policy_override_configmap);
}

Result<std::optional<OwnPod>> OwnPodOf(const Options& options) {
  if (options.pod_name.empty() && options.pod_namespace.empty()) return std::optional<OwnPod>();
  if (options.pod_name.empty() || options.pod_namespace.empty())
    return Error{ErrorKind::kInvalid, "POD_NAME and POD_NAMESPACE must be set together"};
  return std::optional<OwnPod>(OwnPod{options.pod_namespace, options.pod_name, options.pod_uid});
}

std::string NodeNameOf(const Options& options) {
  if (!options.node_name.empty()) return options.node_name;
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0) return {};
  std::string text = name.data();
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

Result<kube::ApiServer> ApiServerOf(const Options& options) {
  auto server = options.kubeconfig.empty()
                    ? kube::InCluster(kube::ReadEnvironment, kube::ReadSmallFile)
                    : kube::FromKubeconfig(options.kubeconfig, kube::ReadSmallFile);
  if (!server) {
    Error error = std::move(server).error().Wrap("cannot reach Kubernetes");
    if (options.kubeconfig.empty()) error.what += kCure;
    if (error.what.ends_with("has no certificate-authority")) error.what += kCureOfNoAuthority;
    return error;
  }
  return server;
}

Error Unreached(Error error, const std::string& url) {
  if (error.kind != ErrorKind::kUnavailable && error.kind != ErrorKind::kDeadline) return error;
  error.what = "the API server " + url + " does not answer: " + error.what +
               "; check its address and the network of this host. On a host without a cluster, set "
               "--without-kubernetes";
  return error;
}

Result<std::unique_ptr<kube::Cluster>> ConnectToCluster(const Options& options,
                                                        kube::ClusterOptions cluster,
                                                        const Clock& clock) {
  auto server = ApiServerOf(options);
  if (!server) return std::move(server).error();
  cluster.node_name = NodeNameOf(options);
  cluster.seed = RandomSeed();
  if (!options.pod_name.empty()) cluster.reporter = options.pod_name;
  return kube::Cluster::Connect(*server, std::move(cluster), clock);
}

WorkloadReader* WorkloadsOf(const Options& options, kube::Cluster& cluster, WorkloadsFrom otherwise,
                            const std::function<void()>& on_back) {
  switch (options.workloads.value_or(otherwise)) {
    case WorkloadsFrom::kOff:
      return nullptr;
    case WorkloadsFrom::kDirect:
      return &cluster.workloads();
    case WorkloadsFrom::kIndex:
      return &cluster.WorkloadIndex(*IndexNameOf(options), static_cast<bool>(on_back), on_back);
  }
  return nullptr;
}

std::optional<Error> ValidateWorkloadFlags(const Options& options) {
  if (options.workloads.value_or(WorkloadsFrom::kOff) == WorkloadsFrom::kOff) return std::nullopt;
  if (options.without_kubernetes)
    return Error{ErrorKind::kInvalid, "--workloads cannot be used with --without-kubernetes"};
  if (options.workloads != WorkloadsFrom::kIndex) return std::nullopt;
  const auto index = IndexNameOf(options);
  return index ? std::nullopt : std::optional(index.error());
}

RuntimeOptions RuntimeOptionsOf(const Options& options) {
  const auto& endpoints = options.runtime_endpoints;
  return {.endpoint = endpoints.empty() ? std::string() : endpoints.front(),
          .host_prefix = options.host_prefix,
          .timeout = options.timeout};
}

NodeAdapters::Options NodeAdapterOptionsOf(const Options& options) {
  return {.kubelet_directory = options.kubelet_dir,
          .pull_secret = options.pull_secret,
          .read_kubelet = options.read_kubelet};
}

AgeStore::Options AgeStoreOptionsOf(const Options& options) {
  AgeStore::Options age_store;
  age_store.boot_id = ReadBootId();
  age_store.count_unwatched = options.count_unwatched;
  const bool in_a_pod =
      !options.pod_name.empty() || !kube::ReadEnvironment("KUBERNETES_SERVICE_HOST").empty();
  if (!in_a_pod || !options.host_prefix.empty())
    age_store.machine_id = ReadMachineId(options.host_prefix.empty() ? "/" : options.host_prefix);
  return age_store;
}

Result<kube::IndexName> IndexNameOf(const Options& options) {
  const std::string& text = options.index_name;
  const auto slash = text.find('/');
  const bool alone = slash == std::string::npos;
  kube::IndexName name{alone ? options.pod_namespace : text.substr(0, slash),
                       alone ? text : text.substr(slash + 1)};
  if (auto good = kube::CheckIndexName(name.name); !good) return good.error();
  if (name.name_space.empty())
    return Error{ErrorKind::kInvalid, "--index-name " + text +
                                          " requires a namespace: set POD_NAMESPACE from the "
                                          "downward API, or use --index-name=NAMESPACE/" +
                                          name.name};
  return name;
}

}  // namespace imagesweep
