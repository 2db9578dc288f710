#include "agent/runtime/store/docker_layers.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "agent/runtime/store/build_cache.h"
#include "agent/runtime/store/directory.h"
#include "agent/runtime/store/docker_json.h"
#include "agent/runtime/store/tree_usage.h"

namespace imagesweep::store {
namespace {

using layers::Unread;

constexpr int kMostTries = 3;
constexpr std::size_t kMostEntries = 1'000'000;
constexpr std::size_t kLongestId = 256;
constexpr std::size_t kLongestRepositories = 64 << 20;
constexpr std::size_t kLongestContainer = 4 << 20;
constexpr std::string_view kDigest = "sha256:";

bool IsDigest(std::string_view text) {
  return text.starts_with(kDigest) && IsHexId(text.substr(kDigest.size()));
}

std::string Hex(std::string_view digest) {
  return std::string(digest.substr(kDigest.size()));
}

// The name of a directory of overlay2: 64 hex digits, and BuildKit's have 25 letters and digits.
bool IsCacheId(std::string_view text) {
  return text.size() >= 16 && text.size() <= 64 &&
         text.find_first_not_of("0123456789abcdefghijklmnopqrstuvwxyz") == std::string_view::npos;
}

// A listing of a directory that may not exist yet, in order.
Result<std::vector<std::string>> ListBelow(const Directory& directory, std::string_view names) {
  const auto below = directory.Below(names);
  if (!below && below.error().kind == ErrorKind::kNotFound) return std::vector<std::string>();
  if (!below) return below.error();
  auto list = below->List(kMostEntries);
  if (list) std::ranges::sort(*list);
  return list;
}

// A digest in a file.  Empty: there is no such file.
Result<std::string> ReadDigest(const Directory& directory, std::string_view name) {
  auto text = directory.Read(name, kLongestId);
  if (!text && text.error().kind == ErrorKind::kNotFound) return std::string();
  if (text && !IsDigest(*text))
    return Error{ErrorKind::kIncomplete,
                 directory.path() + "/" + std::string(name) + ": not a digest"};
  return text;
}

// Why there is no "image/overlay2".
Error NoStore(const Directory& root, const std::string& cure) {
  const auto drivers = ListBelow(root, "image");
  if (!drivers) return Error{drivers.error().kind, drivers.error().what + "; " + cure};
  // Docker 29 has "identity-cache.db" there.
  const auto driver = std::ranges::find_if(
      *drivers, [](const std::string& name) { return name.find('.') == std::string::npos; });
  if (driver != drivers->end())
    return {ErrorKind::kNotFound, root.path() + " has the storage driver " + *driver +
                                      ", and sizes are only known for overlay2"};
  return {ErrorKind::kNotFound,
          root.path() + " has no images: either Docker keeps them in containerd, or " + cure};
}

}  // namespace

struct DockerLayers::Listing {
  LayerStore store;
  std::unordered_map<std::string, std::string> cache_ids;  // by layer
  std::vector<std::string> images;                         // of imagedb/content/sha256
};

namespace {

void AddLayer(const Directory& layers, const std::string& name, LayerStore& store,
              std::unordered_map<std::string, std::string>& cache_ids) {
  if (name.find('-') != std::string::npos) return;  // "CHAIN-removing"
  const auto missed = [&](const Error& error) {
    store.Missed(Unread::What::kObjects, "layer " + error.what);
  };
  if (!IsHexId(name)) return store.Missed(Unread::What::kObjects, "a layer with a malformed name");
  const auto layer = layers.Sub(name);
  if (!layer && layer.error().kind == ErrorKind::kNotFound) return;  // gone since the list
  if (!layer) return missed(layer.error());
  auto parent = ReadDigest(*layer, "parent");
  if (!parent) return missed(parent.error());
  const std::string id = std::string(kDigest).append(name);
  auto cache_id = layer->Read("cache-id", kLongestId);
  if (cache_id && IsCacheId(*cache_id))
    cache_ids.emplace(id, *std::move(cache_id));
  else
    missed(cache_id ? Error{ErrorKind::kIncomplete, layer->path() + ": malformed cache-id"}
                    : cache_id.error());
  store.layers.push_back({id, *std::move(parent), {}});
}

void AddContainer(const Directory& root, const Directory& mounts, const std::string& name,
                  LayerStore& store) {
  const auto missed = [&](const Error& error) {
    store.Missed(Unread::What::kHolders, "container " + error.what);
  };
  const auto mount = mounts.Sub(name);
  if (!mount && mount.error().kind == ErrorKind::kNotFound) return;  // gone since the list
  if (!mount) return missed(mount.error());
  auto parent = ReadDigest(*mount, "parent");
  if (!parent) return missed(parent.error());
  StoredContainer container{name, {}, "mount " + name};
  store.layers.push_back({container.layer, *std::move(parent), {}});
  // A layer without a container's data is one of a build.
  if (const auto data = IsHexId(name) ? root.Below("containers/" + name)
                                      : Result<Directory>(Error{ErrorKind::kNotFound, name})) {
    const auto text = data->Read("config.v2.json", kLongestContainer);
    const std::string image = text ? ImageOfContainer(*text) : std::string();
    if (IsDigest(image)) container.image = image;
  }
  store.containers.push_back(std::move(container));
}

void FindBuildCache(const Directory& root, LayerStore& store) {
  const auto cache = ReadBuildCache(root);
  if (!cache) return store.Missed(Unread::What::kHolders, "build cache: " + cache.error().what);
  const auto held = std::ranges::count_if(
      store.layers, [&](const StoredLayer& layer) { return cache->contains(layer.id); });
  if (held > 0)
    store.Missed(Unread::What::kHolders,
                 "Docker's build cache may hold " + std::to_string(held) + " layers");
}

}  // namespace

DockerLayers::DockerLayers(const Clock& clock, DockerLayersOptions options)
    : options_(std::move(options)), usages_(clock, options_.budget) {}

Result<LayerStore> DockerLayers::Read(const std::stop_token& stop) {
  const std::string cure = "mount " + options_.root + " read-only into the agent";
  const auto with_cure = [&cure](const Error& error) {
    return Error{error.kind, error.what + "; " + cure};
  };
  const auto root = Directory::Open(options_.root);
  if (!root) return with_cure(root.error());
  const auto image = root->Below("image/overlay2");
  if (!image && image.error().kind == ErrorKind::kNotFound) return NoStore(*root, cure);
  if (!image) return with_cure(image.error());

  std::optional<Listing> listing;
  for (int tries = 1;; ++tries) {
    auto all = ReadAll(*root, *image, stop);
    if (!all) {
      if (all.error().kind == ErrorKind::kCancelled) return std::move(all).error();
      return with_cure(all.error());
    }
    listing = *std::move(all);
    const auto again = ListBelow(*image, "imagedb/content/sha256");
    if (again && *again == listing->images) break;
    if (tries < kMostTries) continue;
    listing->store.Missed(Unread::What::kObjects, image->path() + "/imagedb changes all the time");
    break;
  }
  LayerStore& store = listing->store;
  FindBuildCache(*root, store);
  const auto driver = root->Sub("overlay2"), layers = image->Below("layerdb/sha256");
  if (!driver || !layers) {
    if (!store.layers.empty())
      store.Missed(Unread::What::kObjects, with_cure((driver ? layers : driver).error()).what);
    return std::move(store);
  }
  const auto files = [&](const StoredLayer& layer) {
    const auto cache_id = listing->cache_ids.find(layer.id);
    return LayerFiles{cache_id == listing->cache_ids.end() ? "" : cache_id->second,
                      {{&*layers, Hex(layer.id)}}};
  };
  if (auto status = usages_.Measure(store, *driver, files, stop); !status)
    return std::move(status).error();
  return std::move(store);
}

Result<DockerLayers::Listing> DockerLayers::ReadAll(const Directory& root, const Directory& image,
                                                    const std::stop_token& stop) {
  Listing listing;
  LayerStore& store = listing.store;
  store.driver = "overlay2";
  auto images = ListBelow(image, "imagedb/content/sha256");
  if (!images) return std::move(images).error();
  listing.images = *std::move(images);
  if (auto status = AddImages(image, listing, stop); !status) return std::move(status).error();

  // Layers and containers come later, so that nothing that holds a layer is missed.
  const auto names = ListBelow(image, "layerdb/sha256");
  if (!names) return names.error();
  if (const auto layers = image.Below("layerdb/sha256"))
    for (const std::string& name : *names) AddLayer(*layers, name, store, listing.cache_ids);
  const auto containers = ListBelow(image, "layerdb/mounts");
  if (!containers) return containers.error();
  if (const auto mounts = image.Below("layerdb/mounts"))
    for (const std::string& name : *containers) AddContainer(root, *mounts, name, store);
  if (stop.stop_requested()) return Error{ErrorKind::kCancelled, root.path() + ": shutting down"};
  return listing;
}

Status DockerLayers::AddImages(const Directory& image, Listing& listing,
                               const std::stop_token& stop) {
  LayerStore& store = listing.store;
  if (listing.images.empty()) return Done{};
  const auto content = image.Below("imagedb/content/sha256");
  if (!content) return content.error();
  const auto metadata = image.Below("imagedb/metadata/sha256");
  const auto repositories = image.Read("repositories.json", kLongestRepositories);
  const auto named = repositories ? NamedImages(*repositories)
                                  : Result<std::unordered_set<std::string>>(repositories.error());
  if (!named && named.error().kind != ErrorKind::kNotFound)
    store.Missed(Unread::What::kHolders, "repositories.json: " + named.error().what);

  std::unordered_map<std::string, Known> known;
  for (const std::string& name : listing.images) {
    if (stop.stop_requested()) return Error{ErrorKind::kCancelled, "docker: shutting down"};
    const auto missed = [&store](const Error& error) {
      store.Missed(Unread::What::kObjects, "image " + error.what);
    };
    if (!IsHexId(name)) {
      if (!name.starts_with(".tmp-"))  // an image that is being written
        store.Missed(Unread::What::kObjects, "an image with a malformed name");
      continue;
    }
    auto found = known_.find(name);
    if (found == known_.end()) {
      const auto text = content->Read(name, kLongestConfig);
      auto config = text ? ParseImageConfig(*text) : Result<ImageConfig>(text.error());
      if (!config) {
        missed(text ? config.error().Wrap(name) : config.error());
        continue;
      }
      Known fresh{ChainId(config->diff_ids), {}};
      if (fresh.top_layer.empty() && !config->diff_ids.empty()) {
        missed({ErrorKind::kIncomplete, name + ": malformed diff_ids"});
        continue;
      }
      if (options_.configs) fresh.config = *std::move(config);
      found = known_.emplace(name, std::move(fresh)).first;
    }
    StoredImage stored;
    stored.id = std::string(kDigest).append(name);
    stored.top_layer = found->second.top_layer;
    stored.diff_ids = found->second.config.diff_ids;
    stored.history = found->second.config.history;
    stored.named = !named || named->contains(stored.id);
    if (const auto file = MeasureTree(*content, name, stop)) stored.metadata = file->usage;
    if (metadata) {
      if (const auto own = metadata->Sub(name))
        if (auto parent = ReadDigest(*own, "parent")) stored.parent = *std::move(parent);
      if (const auto tree = MeasureTree(*metadata, name, stop)) {
        stored.metadata.bytes += tree->usage.bytes;
        stored.metadata.inodes += tree->usage.inodes;
      }
    }
    known.emplace(name, found->second);
    store.images.push_back(std::move(stored));
  }
  known_ = std::move(known);
  return Done{};
}

}  // namespace imagesweep::store
