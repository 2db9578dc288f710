#include "agent/daemon/store_layers.h"

#include <utility>

#include "agent/gc/observe/layers_disk.h"
#include "agent/runtime/store/containers_storage.h"
#include "agent/runtime/store/docker_layers.h"
#include "agent/runtime/store/store_reader.h"

namespace imagesweep {
namespace {

constexpr std::string_view kOverlayImages = "/overlay-images";

Result<std::string> FirstFilesystem(RuntimeReader& runtime, const std::stop_token& stop) {
  auto mounts = runtime.ImageFilesystems(stop);
  if (!mounts) return std::move(mounts).error();
  if (mounts->empty())
    return Error{ErrorKind::kNotFound, "the runtime does not report its image filesystem"};
  return std::move(mounts->front());
}

template <typename Store, typename Options>
std::unique_ptr<layers::LayerReader> MakeReader(Options options, const Clock& clock) {
  const std::string root = options.root;
  auto store = std::make_shared<Store>(clock, std::move(options));
  return std::make_unique<store::StoreReader>(
      [store](const std::stop_token& stop) { return store->Read(stop); },
      [root] { return LayersDisk(root); }, clock);
}

}  // namespace

Error NotKnown(Error error) {
  if (error.kind != ErrorKind::kCancelled) error.kind = ErrorKind::kNotFound;
  return error;
}

Result<std::shared_ptr<const layers::LayerGraph>> StoreLayers::Read(std::span<const Image> images,
                                                                    const std::stop_token& stop) {
  const auto root = find_root_(stop);
  if (!root) return NotKnown(root.error());
  if (reader_ == nullptr || *root != root_) {
    root_ = *root;
    reader_ = open_(root_, /*configs=*/false);
  }
  auto graph = reader_->Read(images, stop);
  if (!graph) return NotKnown(std::move(graph).error());
  return graph;
}

Result<std::shared_ptr<const layers::LayerGraph>> StoreLayers::ReadWithConfigs(
    std::span<const Image> images, const std::stop_token& stop) {
  const auto root = find_root_(stop);
  if (!root) return NotKnown(root.error());
  auto graph = open_(*root, /*configs=*/true)->Read(images, stop);
  if (!graph) return NotKnown(std::move(graph).error());
  return graph;
}

std::unique_ptr<StoreLayers> StoreLayers::OfCrio(RuntimeReader& runtime, const Clock& clock) {
  return std::make_unique<StoreLayers>(
      [&runtime](const std::stop_token& stop) -> Result<std::string> {
        auto path = FirstFilesystem(runtime, stop);
        if (!path) return path;
        // Source: CRI-O, server/image_fs_info.go.
        if (!path->ends_with(kOverlayImages))
          return Error{ErrorKind::kNotFound, *path + " is not a store with the driver overlay"};
        path->resize(path->size() - kOverlayImages.size());
        return path;
      },
      [&clock](const std::string& root, bool configs) {
        return MakeReader<store::ContainersStorage>(
            store::ContainersStorageOptions{.root = root, .run_root = {}, .configs = configs},
            clock);
      });
}

std::unique_ptr<StoreLayers> StoreLayers::OfDocker(RuntimeReader& runtime, const Clock& clock) {
  return std::make_unique<StoreLayers>(
      [&runtime](const std::stop_token& stop) { return FirstFilesystem(runtime, stop); },
      [&clock](const std::string& root, bool configs) {
        return MakeReader<store::DockerLayers>(
            store::DockerLayersOptions{.root = root, .configs = configs}, clock);
      });
}

}  // namespace imagesweep
