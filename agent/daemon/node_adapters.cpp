#include "agent/daemon/node_adapters.h"

#include <utility>

namespace imagesweep {

NodeAdapters::NodeAdapters(std::shared_ptr<cri::Connection> its_connection, const Clock& its_clock,
                           Options its_options)
    : connection(std::move(its_connection)),
      clock(its_clock),
      options(std::move(its_options)),
      runtime(connection),
      remover(connection),
      native(*connection, runtime, remover, clock),
      origins(native.layers, options.kubelet_directory),
      registries(options.pull_secret) {}

NodeDependencies NodeAdapters::Dependencies(kube::Cluster* cluster, PodReader* pods,
                                            WorkloadReader* workloads, AgeStore& age_store,
                                            History* history) {
  NodeDependencies node{.runtime = runtime,
                        .pods = pods,
                        .remover = remover,
                        .filesystem = filesystem,
                        .age_store = age_store,
                        .clock = clock};
  node.history = history;
  if (options.read_kubelet && cluster != nullptr)
    node.kubelet = [cluster](const std::stop_token& stop) {
      return cluster->ReadKubeletThresholds(stop);
    };
  node.workloads = workloads;
  node.layers = &native.layers;
  node.batch_remover = &native.remover;
  node.archiver = NativeContainerd::Archivers(*connection);
  node.origins = &origins.all;
  node.verifier = &registries;
  node.name_restorer = &native.restorer;
  return node;
}

}  // namespace imagesweep
