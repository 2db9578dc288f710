#include "agent/daemon/node_adapters.h"

#include <utility>

namespace imagesweep {

namespace {

std::vector<OriginSource*> With(std::vector<OriginSource*> sources, OriginSource& more) {
  sources.push_back(&more);
  return sources;
}

}  // namespace

NodeAdapters::NodeAdapters(std::unique_ptr<NodeRuntime> its_runtime, const Clock& its_clock,
                           Options its_options)
    : runtime(std::move(its_runtime)),
      clock(its_clock),
      options(std::move(its_options)),
      kubelet(options.kubelet_directory),
      origins(With(runtime->origin_sources(), kubelet)),
      registries(options.pull_secret) {}

NodeDependencies NodeAdapters::Dependencies(kube::Cluster* cluster, PodReader* pods,
                                            WorkloadReader* workloads, AgeStore& age_store,
                                            History* history) {
  NodeDependencies node{.runtime = runtime->reader(),
                        .pods = pods,
                        .remover = runtime->remover(),
                        .filesystem = filesystem,
                        .age_store = age_store,
                        .clock = clock};
  node.history = history;
  if (options.read_kubelet && cluster != nullptr)
    node.kubelet = [cluster](const std::stop_token& stop) {
      return cluster->ReadKubeletThresholds(stop);
    };
  node.workloads = workloads;
  node.layers = runtime->layers();
  node.batch_remover = runtime->batch_remover();
  node.archiver = [this](const Archive& archive) { return runtime->MakeArchiver(archive); };
  node.origins = &origins;
  node.verifier = &registries;
  node.name_restorer = &runtime->name_restorer();
  node.builds = &runtime->builds();
  return node;
}

}  // namespace imagesweep
