#include "agent/daemon/store_layers.h"

#include <string_view>
#include <utility>

#include "agent/gc/observe/layers_disk.h"
#include "agent/runtime/store/containers_storage.h"
#include "agent/runtime/store/docker_layers.h"
#include "agent/runtime/store/store_reader.h"

namespace imagesweep {
namespace {

constexpr std::string_view kOverlayImages = "/overlay-images";

// The default run root of containers/storage, in the mount that also has the default socket of
// CRI-O: a pod may see the /run of the node elsewhere.  Source: containers-storage.conf.5.md.
std::string RunRoot(std::string_view endpoint) {
  constexpr std::string_view kScheme = "unix://", kSocket = "/run/crio/crio.sock";
  if (!endpoint.starts_with(kScheme) || !endpoint.ends_with(kSocket)) return "";
  endpoint.remove_prefix(kScheme.size());
  endpoint.remove_suffix(kSocket.size());
  return std::string(endpoint) + "/run/containers/storage";
}

Result<std::string> FirstFilesystem(RuntimeReader& runtime, const std::stop_token& stop) {
  auto mounts = runtime.ImageFilesystems(stop);
  // CRI-O walks a directory in which a pull may rename files meanwhile (utils/filesystem.go).
  if (!mounts) mounts = runtime.ImageFilesystems(stop);
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

Error StoreLayers::Told(Error error) const {
  return purpose_ == Purpose::kFigures ? NotKnown(std::move(error)) : error;
}

Result<std::shared_ptr<const layers::LayerGraph>> StoreLayers::Read(std::span<const Image> images,
                                                                    const std::stop_token& stop) {
  const auto roots = find_roots_(stop);
  if (!roots) return Told(roots.error());
  if (reader_ == nullptr || *roots != roots_) {
    roots_ = *roots;
    reader_ = open_(roots_, /*configs=*/false);
  }
  auto graph = reader_->Read(images, stop);
  if (!graph) return Told(std::move(graph).error());
  return graph;
}

Result<std::shared_ptr<const layers::LayerGraph>> StoreLayers::ReadWithConfigs(
    std::span<const Image> images, const std::stop_token& stop) {
  const auto roots = find_roots_(stop);
  if (!roots) return Told(roots.error());
  auto graph = open_(*roots, /*configs=*/true)->Read(images, stop);
  if (!graph) return Told(std::move(graph).error());
  return graph;
}

std::unique_ptr<StoreLayers> StoreLayers::OfCrio(RuntimeReader& runtime, const Clock& clock) {
  return std::make_unique<StoreLayers>(
      Purpose::kUse,
      [&runtime](const std::stop_token& stop) -> Result<Roots> {
        auto path = FirstFilesystem(runtime, stop);
        if (!path) return std::move(path).error();
        auto identity = runtime.Identity(stop);
        if (!identity) return std::move(identity).error();
        // Source: CRI-O, server/image_fs_info.go.
        if (!path->ends_with(kOverlayImages))
          return Error{ErrorKind::kNotFound, *path + " is not a store with the driver overlay"};
        path->resize(path->size() - kOverlayImages.size());
        return Roots{*std::move(path), RunRoot(identity->endpoint)};
      },
      [&clock](const Roots& roots, bool configs) {
        return MakeReader<store::ContainersStorage>(
            store::ContainersStorageOptions{
                .root = roots.root, .run_root = roots.run_root, .configs = configs},
            clock);
      });
}

std::unique_ptr<StoreLayers> StoreLayers::OfDocker(RuntimeReader& runtime, const Clock& clock) {
  return std::make_unique<StoreLayers>(
      Purpose::kFigures,
      [&runtime](const std::stop_token& stop) -> Result<Roots> {
        auto path = FirstFilesystem(runtime, stop);
        if (!path) return std::move(path).error();
        return Roots{*std::move(path), {}};
      },
      [&clock](const Roots& roots, bool configs) {
        return MakeReader<store::DockerLayers>(
            store::DockerLayersOptions{.root = roots.root, .configs = configs}, clock);
      });
}

}  // namespace imagesweep
