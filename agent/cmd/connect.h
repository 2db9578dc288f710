#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "agent/base/result.h"
#include "agent/cmd/options.h"
#include "agent/daemon/node_adapters.h"
#include "agent/daemon/node_runtime.h"
#include "agent/kube/client/identity.h"
#include "agent/kube/cluster.h"
#include "agent/kube/index/workload_index_objects.h"
#include "agent/model/evidence.h"
#include "agent/state/age_store.h"

// Connects to the sources that the options name.  Errors are for the user: the cause and the fix.

namespace imagesweep {

// The key of the policy in the override ConfigMap; Options::policy_key is that of the other one.
inline constexpr const char* kOverrideKey = "policy.yaml";

struct ConfigMapName {
  std::string name_space;
  std::string name;
  std::string description() const { return "configmap/" + name_space + "/" + name; }
};
// --policy-configmap and --policy-override-configmap; kInvalid: not NAMESPACE/NAME.
Result<ConfigMapName> ConfigMapNameOf(const Options& options);
Result<ConfigMapName> OverrideNameOf(const Options& options);

// The own pod from the downward API; empty outside a pod.  kInvalid: only partly set.
Result<std::optional<OwnPod>> OwnPodOf(const Options& options);

// --node-name, otherwise the host name in lower case, which kubelets register by default.
std::string NodeNameOf(const Options& options);

// The options of the age store.  In a pod, /etc belongs to its image, and only
// --host-prefix shows that of the node.
AgeStore::Options AgeStoreOptionsOf(const Options& options);

NodeAdapters::Options NodeAdapterOptionsOf(const Options& options);

// From --kubeconfig, otherwise from the service account of the pod.
Result<kube::ApiServer> ApiServerOf(const Options& options);
// Adds the address and a fix to the error of a server that does not answer.
Error Unreached(Error error, const std::string& url);
// Completes `cluster` with the names of the node and of the pod, and a seed.
Result<std::unique_ptr<kube::Cluster>> ConnectToCluster(const Options& options,
                                                        kube::ClusterOptions cluster,
                                                        const Clock& clock);

// The error of an invalid --workloads; empty: it is valid.
std::optional<Error> ValidateWorkloadFlags(const Options& options);
// The reader for --workloads, or null; `otherwise` is used if the flag is not set.  With `on_back`,
// watches an index from now on, and calls it when the index is readable again.
WorkloadReader* WorkloadsOf(const Options& options, kube::Cluster& cluster, WorkloadsFrom otherwise,
                            const std::function<void()>& on_back = {});

// For a command on one runtime: ValidateFlags has refused several endpoints.
RuntimeOptions RuntimeOptionsOf(const Options& options);

// --index-name: NAME in the namespace of the own pod, or NAMESPACE/NAME.  kInvalid: another form.
Result<kube::IndexName> IndexNameOf(const Options& options);

}  // namespace imagesweep
