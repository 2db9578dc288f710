#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "agent/cli/options.h"
#include "agent/cri/connection.h"
#include "agent/kube/cluster.h"
#include "agent/kube/identity.h"
#include "agent/model/evidence.h"
#include "agent/state/ledger.h"

// From options to the sources that they mean.  Errors are for the person who wrote the options:
// cause and cure.

namespace imagesweep {

// The key of a policy ConfigMap that holds the policy.
// In the ConfigMap that overrides; the other one's is Options::policy_key.
inline constexpr const char* kOverrideKey = "policy.yaml";

struct ConfigMapName {
  std::string name_space;
  std::string name;
  std::string description() const { return "configmap/" + name_space + "/" + name; }
};
// --policy-configmap and --policy-override-configmap; kInvalid when not NAMESPACE/NAME.
Result<ConfigMapName> ConfigMapNameOf(const Options& options);
Result<ConfigMapName> OverrideNameOf(const Options& options);

// The own pod as the downward API gives it; empty outside a pod.  kInvalid when only part of it is
// set.
Result<std::optional<OwnPod>> OwnPodOf(const Options& options);

// --node-name, else the host's name in lower case, which is what kubelets register by default.
std::string NodeNameOf(const Options& options);

// How this process counts ages.  In a pod /etc is that of its image, and only --host-prefix shows
// the node's.
Ledger::Options LedgerOptionsOf(const Options& options);

// By --kubeconfig, else the pod's service account.
Result<kube::ApiServer> ApiServerOf(const Options& options);
// An error of a request to the server, with its address and a cure when it does not answer.
Error Unreached(Error error, const std::string& url);
Result<std::unique_ptr<kube::Cluster>> ConnectToCluster(const Options& options,
                                                        kube::RequestObserver observer,
                                                        const Clock& clock);

// Why --workloads cannot be followed; empty: it can.
std::optional<Error> WorkloadsComplaint(const Options& options);
// Who reads the workloads by it, or null; what is not told means `otherwise`.  With `on_back` an
// index is watched from now on, and it is called when it can be read again.
WorkloadReader* WorkloadsOf(const Options& options, kube::Cluster& cluster, WorkloadsFrom otherwise,
                            const std::function<void()>& on_back = {});

// --runtime-endpoint, else the first socket that answers.
Result<std::shared_ptr<cri::Connection>> ConnectToRuntime(const Options& options,
                                                          cri::CallObserver observer,
                                                          const std::stop_token& stop);

}  // namespace imagesweep
