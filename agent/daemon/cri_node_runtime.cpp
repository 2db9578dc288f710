#include "agent/daemon/cri_node_runtime.h"

#include <utility>

#include "agent/base/random_seed.h"
#include "agent/daemon/cri_layers.h"
#include "agent/daemon/restore_runtime.h"
#include "agent/gc/observe/layers_disk.h"
#include "agent/runtime/containerd/archive.h"
#include "agent/runtime/containerd/cached_graph_reader.h"
#include "agent/runtime/containerd/image_remover.h"
#include "agent/runtime/containerd/metadata_reader.h"
#include "agent/runtime/containerd/name_restorer.h"
#include "agent/runtime/containerd/pull_labels.h"
#include "agent/runtime/containerd/use_watch.h"
#include "agent/runtime/cri/build_reader.h"
#include "agent/runtime/cri/delete.h"
#include "agent/runtime/cri/layer_facts.h"
#include "agent/runtime/cri/repo_digests.h"
#include "agent/runtime/cri/runtime.h"

namespace imagesweep {
namespace {

class CriNodeRuntime final : public NodeRuntime {
 public:
  CriNodeRuntime(std::shared_ptr<cri::Connection> connection, const Clock& clock)
      : connection_(std::move(connection)),
        clock_(clock),
        reader_(connection_),
        remover_(connection_),
        metadata_(connection_->channel(), clock, {.disk = LayersDisk}),
        layers_(metadata_, clock),
        batch_remover_(connection_->channel(), reader_, layers_, remover_, clock, {}),
        name_restorer_(connection_->channel(), {}),
        labels_(layers_),
        builds_(connection_),
        all_layers_(reader_, layers_, clock) {}

  RuntimeReader& reader() override { return reader_; }
  ImageRemover& remover() override { return remover_; }
  ImageRemover* batch_remover() override { return &batch_remover_; }
  NameRestorer& name_restorer() override { return name_restorer_; }
  std::vector<OriginSource*> origin_sources() override { return {&labels_, &digests_}; }
  BuildReader& builds() override { return builds_; }
  layers::LayerReader* layers() override { return &all_layers_; }

  std::unique_ptr<ImageArchiver> MakeArchiver(const Archive& archive) override {
    return std::make_unique<containerd::Archiver>(
        connection_->channel(),
        containerd::ArchiveOptions{.directory = archive.path, .max_size = archive.max_size});
  }

  std::unique_ptr<UseSource> WatchUses(UseSource::Hooks hooks) override {
    containerd::UseWatch::Options options;
    options.hooks = std::move(hooks);
    options.seed = RandomSeed();
    return std::make_unique<containerd::UseWatch>(connection_->channel(), clock_,
                                                  std::move(options));
  }

  Result<std::shared_ptr<const layers::LayerGraph>> ReadLayers(
      std::span<const Image> images, bool configs, const std::stop_token& stop) override {
    auto graph = containerd::MetadataReader(connection_->channel(), clock_,
                                            {.timeout = connection_->options().read_timeout,
                                             .disk = LayersDisk,
                                             .configs = configs})
                     .Read(images, stop);
    if (graph || graph.error().kind != ErrorKind::kNotFound || !all_layers_.IsCrio(stop))
      return graph;
    StoreLayers& crio = all_layers_.crio();
    return configs ? crio.ReadWithConfigs(images, stop) : crio.Read(images, stop);
  }

  Result<std::vector<std::vector<std::string>>> ReadDiffIds(std::span<const Image> images,
                                                            const std::stop_token& stop) override {
    return cri::LayerFacts(connection_).Read(images, stop);
  }

  Result<std::unique_ptr<RestoreBackend>> OpenRestore(cri::PullSecret secret,
                                                      const std::stop_token& stop) override {
    auto backend = RuntimeBackend::Open(connection_, std::move(secret), clock_, stop);
    if (!backend) return std::move(backend).error();
    return std::unique_ptr<RestoreBackend>(*std::move(backend));
  }

 private:
  const std::shared_ptr<cri::Connection> connection_;
  const Clock& clock_;
  cri::Runtime reader_;
  cri::CriImageRemover remover_;
  containerd::MetadataReader metadata_;
  containerd::CachedGraphReader layers_;
  containerd::BatchImageRemover batch_remover_;
  containerd::RecordRestorer name_restorer_;
  containerd::PullLabels labels_;
  cri::CriBuildReader builds_;
  CriLayers all_layers_;
  cri::RepoDigests digests_;
};

}  // namespace

std::unique_ptr<NodeRuntime> MakeCriNodeRuntime(std::shared_ptr<cri::Connection> connection,
                                                const Clock& clock) {
  return std::make_unique<CriNodeRuntime>(std::move(connection), clock);
}

}  // namespace imagesweep
