#include "agent/daemon/engine_layers.h"

#include <utility>

#include "agent/gc/observe/layers_disk.h"
#include "agent/runtime/grpc_channel.h"

namespace imagesweep {
namespace {

constexpr int kMaxReplyBytes = 16 << 20;  // containerd sends no more

}  // namespace

EngineLayers::EngineLayers(docker::Runtime& engine, std::string socket, const Clock& clock)
    : engine_(engine),
      socket_(std::move(socket)),
      clock_(clock),
      files_(StoreLayers::OfDocker(engine, clock)) {}

Result<std::shared_ptr<const layers::LayerGraph>> EngineLayers::Read(std::span<const Image> images,
                                                                     const std::stop_token& stop) {
  return ReadLayers(images, /*configs=*/false, stop);
}

Result<std::shared_ptr<const layers::LayerGraph>> EngineLayers::ReadWithConfigs(
    std::span<const Image> images, const std::stop_token& stop) {
  return ReadLayers(images, /*configs=*/true, stop);
}

Result<std::shared_ptr<const layers::LayerGraph>> EngineLayers::ReadLayers(
    std::span<const Image> images, bool configs, const std::stop_token& stop) {
  const auto info = engine_.Info(stop);
  if (!info) return NotKnown(info.error());
  if (!info->containerd_store)
    return configs ? files_->ReadWithConfigs(images, stop) : files_->Read(images, stop);
  const auto found = FindEngineContainerd(*info, socket_);
  if (!found) return NotKnown(found.error());
  auto graph = configs ? ReadContainerd(images, *OpenReader(*found, /*configs=*/true), stop)
                       : ReadContainerd(images, ReaderOf(*found), stop);
  if (!graph) return NotKnown(std::move(graph).error().Wrap("containerd at " + found->socket));
  return graph;
}

Result<std::shared_ptr<const layers::LayerGraph>> EngineLayers::ReadContainerd(
    std::span<const Image> images, containerd::MetadataReader& from, const std::stop_token& stop) {
  auto metadata = from.ReadSnapshot(images, stop);
  if (!metadata) return std::move(metadata).error();
  if (!CheckIsOfEngine(*metadata, images, images)) {
    const auto again = engine_.ListImages(stop);
    if (!again) return again.error();
    if (auto same = CheckIsOfEngine(*metadata, images, *again); !same)
      return std::move(same).error();
  }
  return std::shared_ptr<const layers::LayerGraph>(
      std::make_shared<layers::LayerGraph>(*std::move(metadata), images));
}

containerd::MetadataReader& EngineLayers::ReaderOf(const EngineContainerd& found) {
  if (reader_ == nullptr || containerd_ != found) {
    containerd_ = found;
    reader_ = OpenReader(found, /*configs=*/false);
  }
  return *reader_;
}

std::unique_ptr<containerd::MetadataReader> EngineLayers::OpenReader(const EngineContainerd& found,
                                                                     bool configs) const {
  return std::make_unique<containerd::MetadataReader>(
      OpenUnixChannel(found.socket, kMaxReplyBytes), clock_,
      containerd::MetadataReaderOptions{.cri_namespace = found.name_space,
                                        .records_of = layers::RecordsOf::kDocker,
                                        .snapshotter = found.snapshotter,
                                        .disk = LayersDisk,
                                        .configs = configs});
}

}  // namespace imagesweep
