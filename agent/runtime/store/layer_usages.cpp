#include "agent/runtime/store/layer_usages.h"

#include <sys/stat.h>

#include <optional>
#include <string_view>
#include <utility>

namespace imagesweep::store {
namespace {

using layers::Unread;

constexpr std::size_t kLongestLink = 64;

// The positions of all layers below images.
std::vector<std::size_t> BelowImages(const LayerStore& store) {
  std::unordered_map<std::string_view, std::size_t> at;
  for (std::size_t i = 0; i < store.layers.size(); ++i) at.try_emplace(store.layers[i].id, i);
  std::vector<bool> seen(store.layers.size(), false);
  std::vector<std::size_t> found;
  const auto climb = [&](std::string_view id) {
    for (auto layer = at.find(id); layer != at.end() && !seen[layer->second];
         layer = at.find(store.layers[layer->second].parent)) {
      seen[layer->second] = true;
      found.push_back(layer->second);
    }
  };
  for (const StoredImage& image : store.images) {
    climb(image.top_layer);
    for (const std::string& mapped : image.mapped_layers) climb(mapped);
  }
  return found;
}

// Says the first of several problems, and how many there are.
struct Told {
  std::size_t count = 0;
  std::string first;
  void Add(std::string what) {
    if (count++ == 0) first = std::move(what);
  }
  void Tell(LayerStore& store, std::string_view what) const {
    if (count == 0) return;
    std::string why = std::to_string(count).append(what).append(": ").append(first);
    store.Missed(Unread::What::kObjects, std::move(why));
  }
};

bool Same(const timespec& one, const timespec& other) {
  return one.tv_sec == other.tv_sec && one.tv_nsec == other.tv_nsec;
}

}  // namespace

Result<LayerUsages::Known> LayerUsages::MeasureOne(const Directory& driver, const Directory* links,
                                                   const LayerFiles& files, const std::string& id,
                                                   const std::stop_token& stop) const {
  const auto seen = driver.Stat(files.directory);
  if (!seen) return seen.error();
  if (const auto known = known_.find(id); known != known_.end() &&
                                          known->second.inode == seen->st_ino &&
                                          Same(known->second.changed, seen->st_ctim))
    return known->second;

  const auto layer = driver.Sub(files.directory);
  if (!layer) return layer.error();
  std::vector<LayerFiles::Part> parts = files.parts;
  // A short name of the layer, for the options of mount(2): a link in "l", named in "link".
  if (links != nullptr)
    if (auto link = layer->Read("link", kLongestLink); link && !link->empty())
      parts.push_back({links, *std::move(link)});
  auto tree = MeasureTree(driver, files.directory, stop);
  if (!tree) return std::move(tree).error();
  for (const auto& part : parts) {
    const auto more = MeasureTree(*part.directory, part.name, stop);
    if (!more && more.error().kind == ErrorKind::kNotFound) continue;
    if (!more) return more.error();
    tree->usage.bytes += more->usage.bytes;
    tree->usage.inodes += more->usage.inodes;
    tree->linked_outside += more->linked_outside;
  }
  return Known{seen->st_ino, seen->st_ctim, *tree};
}

Status LayerUsages::Measure(LayerStore& store, const Directory& driver,
                            const std::function<LayerFiles(const StoredLayer&)>& files,
                            const std::stop_token& stop) {
  const auto links = driver.Sub("l");
  const SteadyTime end = clock_.Steady() + budget_;
  std::unordered_map<std::string, Known> known;
  Told failed, linked, late;
  for (const std::size_t at : BelowImages(store)) {
    StoredLayer& layer = store.layers[at];
    if (known.contains(layer.id)) continue;
    if (!known_.contains(layer.id) && clock_.Steady() > end) {
      late.Add(layer.id);
      continue;
    }
    auto usage = MeasureOne(driver, links ? &*links : nullptr, files(layer), layer.id, stop);
    if (!usage && usage.error().kind == ErrorKind::kCancelled) {
      known_.merge(known);  // what was done is not lost
      return std::move(usage).error();
    }
    if (!usage) {
      failed.Add(usage.error().what);
      continue;
    }
    layer.usage = usage->tree.usage;
    if (usage->tree.linked_outside > 0) linked.Add(layer.id);
    known.emplace(layer.id, *std::move(usage));
  }
  known_ = std::move(known);
  failed.Tell(store, " layers could not be measured, the first");
  linked.Tell(store, " layers share files with others by hard links, the first");
  late.Tell(store, " layers are not measured yet, the first");
  return Done{};
}

}  // namespace imagesweep::store
