#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "agent/base/clock.h"
#include "agent/kube/config_map_watch.h"
#include "agent/kube/identity.h"
#include "agent/kube/lease.h"
#include "agent/kube/lister.h"
#include "agent/kube/recent.h"
#include "agent/kube/workload_index_store.h"
#include "agent/kube/workload_index_writer.h"
#include "agent/model/kubelet.h"
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
  std::string reporter = "imagesweep";  // in events: who tells, e.g. the pod's name
};

// One cluster, seen from one node.  Creating it sends nothing; watches run on threads of its own
// until it is destroyed.  Any thread.
class Cluster {
 public:
  static Result<std::unique_ptr<Cluster>> Connect(const ApiServer& server, ClusterOptions options,
                                                  const Clock& clock);
  // Over a transport of the caller's.
  static std::unique_ptr<Cluster> Over(std::unique_ptr<HttpTransport> transport,
                                       ClusterOptions options, const Clock& clock);
  ~Cluster();
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;

  // Starts to watch the node's pods; from then on pods() joins list and watch.  Once.  `on_back` is
  // called on the watch's thread when it lives again after it was lost.
  void WatchPods(std::function<void()> on_back = {});
  PodReader& pods();
  Recent DrainRecentReferences();

  // Starts to watch the workloads of the whole cluster; from then on workloads() reads from memory.
  // Once.  `on_back` is called on a watch's thread when they can be read after they could not.
  void WatchWorkloads(std::function<void()> on_back = {});
  // Without a watch each read lists them.
  WorkloadReader& workloads();

  // The workloads as the leader of an index published them; watched from the first call on when
  // `watch` is set; `on_back` as of WatchWorkloads.  One index only.
  WorkloadReader& WorkloadIndex(const IndexName& index, bool watch,
                                std::function<void()> on_back = {});
  // What is known of it by the watch, or null.
  const WorkloadIndexStore* WorkloadIndexSeen() const;
  // To write it, and to be its leader; both must end before the cluster does.
  std::unique_ptr<WorkloadIndexWriter> WriteWorkloadIndex(const IndexName& index,
                                                          const std::string& holder);
  std::unique_ptr<Lease> OpenLease(Lease::Options options, Lease::OnChange on_change,
                                   Lease::OnError on_error);

  void WatchConfigMap(const std::string& name_space, const std::string& name,
                      const std::string& key, OnConfig on_config, OnSight on_sight = {});
  Result<std::string> ReadConfigMap(const std::string& name_space, const std::string& name,
                                    const std::string& key, const std::stop_token& stop);
  // One event about this node.  kNotFound when one that goes on is no longer there.
  Status WriteEvent(const NodeEventWrite& write, const std::stop_token& stop);
  // From the kubelet's /configz through the API server; needs `get` on nodes/proxy, which is much
  // to ask, so nothing calls it unless told to.
  Result<KubeletThresholds> ReadKubeletThresholds(const std::stop_token& stop);

 private:
  struct Parts;
  explicit Cluster(std::unique_ptr<Parts> parts);
  const std::unique_ptr<Parts> parts_;
};

}  // namespace imagesweep::kube
