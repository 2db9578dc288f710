#include "agent/runtime/store/containers_storage.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "agent/base/codec.h"
#include "agent/runtime/store/containers_json.h"
#include "agent/runtime/store/directory.h"
#include "agent/runtime/store/tree_usage.h"

namespace imagesweep::store {
namespace {

using layers::Unread;

constexpr int kMostTries = 3;
constexpr std::size_t kLongestIndex = 64 << 20;  // about 50,000 images
constexpr std::size_t kMostDrivers = 1000;       // entries of the root
constexpr std::string_view kImages = "-images";

// The text of an index; empty if the store has none yet.
Result<std::string> ReadIndex(const Directory& directory, std::string_view name) {
  auto text = directory.Read(name, kLongestIndex);
  if (!text && text.error().kind == ErrorKind::kNotFound) return std::string();
  return text;
}

Status AddFile(const Directory& directory, std::string_view name, LayerStore& store,
               Status (*add)(std::string_view, LayerStore&)) {
  const auto text = ReadIndex(directory, name);
  if (!text) return text.error();
  auto status = add(*text, store);
  if (!status) return status.error().Wrap(directory.path() + "/" + std::string(name));
  return status;
}

// A file with layers or containers.
struct Index {
  const char* folder;
  const char* name;
  Status (*add)(std::string_view, LayerStore&);
};
constexpr Index kIndexes[] = {{"overlay-layers", "layers.json", AddLayers},
                              {"overlay-layers", "volatile-layers.json", AddLayers},
                              {"overlay-containers", "containers.json", AddContainers},
                              {"overlay-containers", "volatile-containers.json", AddContainers}};
constexpr Index kVolatile[] = {
    kIndexes[1], kIndexes[3], {"overlay-layers", "mountpoints.json", AddMounts}};

// Why there is no "overlay-images".
Error NoStore(const Directory& root, const std::string& cure) {
  const auto names = root.List(kMostDrivers);
  if (!names) return names.error().Wrap("containers/storage");
  for (const std::string& name : *names)
    if (name.ends_with(kImages))
      return {ErrorKind::kNotFound, root.path() + " has the storage driver " +
                                        name.substr(0, name.size() - kImages.size()) +
                                        ", and sizes are only known for overlay"};
  return {ErrorKind::kNotFound, root.path() + " is not a store of containers/storage; " + cure};
}

// The name of a big-data file (containers/storage, lib.go: makeBigDataBaseName).
std::string ConfigFile(const std::string& image_id) {
  return "=" + ToBase64("sha256:" + image_id);
}

}  // namespace

ContainersStorage::ContainersStorage(const Clock& clock, ContainersStorageOptions options)
    : options_(std::move(options)), usages_(clock, options_.budget) {}

Result<LayerStore> ContainersStorage::Read(const std::stop_token& stop) {
  const std::string cure = "mount " + options_.root + " read-only into the agent";
  const auto root = Directory::Open(options_.root);
  if (!root) {
    const ErrorKind kind = root.error().kind;
    return Error{kind == ErrorKind::kDenied ? ErrorKind::kNotFound : kind,
                 root.error().what + "; " + cure};
  }
  const auto images = root->Sub("overlay-images");
  if (!images && images.error().kind == ErrorKind::kNotFound) return NoStore(*root, cure);
  if (!images) return Error{images.error().kind, images.error().what + "; " + cure};

  LayerStore store;
  store.driver = "overlay";
  if (auto status = ReadIndexes(*root, store, stop); !status) {
    if (status.error().kind == ErrorKind::kCancelled) return std::move(status).error();
    return Error{status.error().kind, status.error().what + "; " + cure};
  }
  ReadVolatile(store);
  if (auto status = ReadImages(*images, store, stop); !status) return std::move(status).error();

  const auto driver = root->Sub("overlay"), layers = root->Sub("overlay-layers");
  if (!driver || !layers) {
    if (!store.layers.empty())
      store.Missed(Unread::What::kObjects, (driver ? layers : driver).error().what + "; " + cure);
    return store;
  }
  const auto files = [&layers](const StoredLayer& layer) {
    return LayerFiles{layer.id, {{&*layers, layer.id}, {&*layers, layer.id + ".tar-split.gz"}}};
  };
  if (auto status = usages_.Measure(store, *driver, files, stop); !status)
    return std::move(status).error();
  return store;
}

Status ContainersStorage::ReadIndexes(const Directory& root, LayerStore& store,
                                      const std::stop_token& stop) const {
  for (int tries = 1;; ++tries) {
    if (stop.stop_requested()) return Error{ErrorKind::kCancelled, root.path() + ": shutting down"};
    store = {store.driver, {}, {}, {}, {}, {}, {}};
    const auto images = root.Sub("overlay-images");
    if (!images) return images.error();
    const auto text = ReadIndex(*images, "images.json");
    if (!text) return text.error();
    if (auto status = AddImages(*text, store); !status)
      return status.error().Wrap(images->path() + "/images.json");
    // Layers and containers come later, so that nothing that holds a layer is missed.
    for (const auto& [folder, name, add] : kIndexes) {
      const auto directory = root.Sub(folder);
      if (!directory && directory.error().kind == ErrorKind::kNotFound) continue;
      if (!directory) return directory.error();
      if (auto status = AddFile(*directory, name, store, add); !status) return status;
    }
    const auto again = ReadIndex(*images, "images.json");
    if (again && *again == *text) return Done{};
    if (tries < kMostTries) continue;
    store.MissedInIndex(images->path() + "/images.json changes all the time");
    return Done{};
  }
}

void ContainersStorage::ReadVolatile(LayerStore& store) const {
  if (options_.run_root.empty()) return;
  const auto missed = [&store](const Error& error) {
    if (error.kind == ErrorKind::kNotFound) return;
    store.Missed(Unread::What::kHolders, error.what);
    store.Missed(Unread::What::kMounts, error.what);
  };
  const auto root = Directory::Open(options_.run_root);
  if (!root) return missed(root.error());
  for (const auto& [folder, name, add] : kVolatile) {
    const auto directory = root->Sub(folder);
    if (!directory)
      missed(directory.error());
    else if (auto status = AddFile(*directory, name, store, add); !status)
      missed(status.error());
  }
}

// The size of each image's own files, and its config.
Status ContainersStorage::ReadImages(const Directory& images, LayerStore& store,
                                     const std::stop_token& stop) {
  std::unordered_map<std::string, ImageConfig> configs;
  for (StoredImage& image : store.images) {
    const auto tree = MeasureTree(images, image.id, stop);
    if (!tree && tree.error().kind == ErrorKind::kCancelled) return tree.error();
    if (tree)
      image.metadata = tree->usage;
    else if (tree.error().kind != ErrorKind::kNotFound)  // it may have none
      store.Missed(Unread::What::kObjects, tree.error().what);
    if (!options_.configs) continue;
    auto known = configs_.find(image.id);
    if (known == configs_.end()) {
      const auto directory = images.Sub(image.id);
      const auto text = directory ? directory->Read(ConfigFile(image.id), kLongestConfig)
                                  : Result<std::string>(directory.error());
      auto config = text ? ParseImageConfig(*text) : Result<ImageConfig>(text.error());
      if (!config) continue;  // the image has no history then
      known = configs_.emplace(image.id, *std::move(config)).first;
    }
    image.diff_ids = known->second.diff_ids;
    image.history = known->second.history;
    configs.emplace(known->first, known->second);
  }
  configs_ = std::move(configs);
  return Done{};
}

}  // namespace imagesweep::store
