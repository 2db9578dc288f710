#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "agent/base/clock.h"
#include "agent/kube/client/identity.h"
#include "agent/kube/client/lister.h"
#include "agent/kube/index/lease.h"
#include "agent/kube/index/workload_index_store.h"
#include "agent/kube/index/workload_index_writer.h"
#include "agent/kube/pods/pod_store.h"
#include "agent/kube/watch/config_map_watch.h"
#include "agent/model/evidence.h"
#include "agent/model/node_event.h"
#include "agent/model/ports.h"
#include "agent/model/reference.h"

namespace imagesweep::kube {

struct ClusterOptions {
  std::string node_name;
  std::uint64_t seed = 0;
  Millis watch_idle = std::chrono::seconds(90);
  // Agents that start together spread their first lists of the whole cluster over this time.
  Millis workloads_start_within = std::chrono::seconds(20);
  RequestObserver observer;
  std::string reporter = "imagesweep";  // reporting instance in events
};

// One cluster, seen from one node. Creating it sends nothing. Watches run on threads of the object
// until it is destroyed. Thread-safe.
class Cluster {
 public:
  static Result<std::unique_ptr<Cluster>> Connect(const ApiServer& server, ClusterOptions options,
                                                  const Clock& clock);
  // Uses a transport of the caller.
  static std::unique_ptr<Cluster> Over(std::unique_ptr<HttpTransport> transport,
                                       ClusterOptions options, const Clock& clock);
  ~Cluster();
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;

  // Starts to watch the pods of the node. From then on, pods() joins the list and the watch. Call
  // it once. `on_back` is called on the thread of the watch when the watch works again after a
  // loss.
  void WatchPods(std::function<void()> on_back = {});
  PodReader& pods();
  Recent DrainRecentReferences();

  // Starts to watch the workloads of the whole cluster. From then on, workloads() reads from
  // memory. Call it once. `on_back` is called on the thread of a watch when the workloads can be
  // read again.
  void WatchWorkloads(std::function<void()> on_back = {});
  // Without a watch, each read lists the workloads.
  WorkloadReader& workloads();

  // The workloads as the leader of an index published them. If `watch` is set, the index is watched
  // from the first call on. `on_back` is as for WatchWorkloads. Supports one index only.
  WorkloadReader& WorkloadIndex(const IndexName& index, bool watch,
                                std::function<void()> on_back = {});
  // What the watch knows about the index, or null.
  const WorkloadIndexStore* WorkloadIndexSeen() const;
  // For the leader of the index. Both results must be destroyed before the cluster is.
  std::unique_ptr<WorkloadIndexWriter> WriteWorkloadIndex(const IndexName& index,
                                                          const std::string& holder);
  std::unique_ptr<Lease> OpenLease(Lease::Options options, Lease::OnChange on_change,
                                   Lease::OnError on_error);

  void WatchConfigMap(const std::string& name_space, const std::string& name,
                      const std::string& key, OnConfig on_config, OnReadStatus on_read_status = {});
  Result<std::string> ReadConfigMap(const std::string& name_space, const std::string& name,
                                    const std::string& key, const std::stop_token& stop);
  // Writes one event about this node. kNotFound if it continues an event that no longer exists.
  Status WriteEvent(const NodeEventWrite& write, const std::stop_token& stop);
  // Reads /configz of the kubelet through the API server. This needs `get` on nodes/proxy, which is
  // a broad right, so call it only if the user asks for it.
  Result<KubeletThresholds> ReadKubeletThresholds(const std::stop_token& stop);

 private:
  struct Components;
  explicit Cluster(std::unique_ptr<Components> parts);
  const std::unique_ptr<Components> parts_;
};

}  // namespace imagesweep::kube
