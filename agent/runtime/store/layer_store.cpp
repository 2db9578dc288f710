#include "agent/runtime/store/layer_store.h"

#include <algorithm>
#include <limits>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace imagesweep::store {
namespace {

using layers::Unread;

constexpr const char* kSpace = "store";  // the only namespace
constexpr std::size_t kMostNotes = 16;
constexpr std::string_view kDigest = "sha256:";

// Fills a MetadataSnapshot from a LayerStore.
class Filler {
 public:
  Filler(const LayerStore& store, layers::Disk disk, SystemTime now)
      : store_(store), metadata_(kSpace, now, {}, disk) {}

  layers::MetadataSnapshot Fill() && {
    for (const Unread& part : store_.unread) metadata_.CouldNotRead(part);
    IndexLayers();
    IndexReferences();
    for (const StoredContainer& container : store_.containers) AddContainer(container);
    AddLayers();
    AddImages();
    AddMounts();
    metadata_.Trim();
    return std::move(metadata_);
  }

 private:
  // Tells only the first of its kind, because a broken store may have one for each layer.
  void Missed(bool& told, std::string why) {
    if (!std::exchange(told, true))
      metadata_.CouldNotRead({Unread::What::kObjects, "", std::move(why)});
  }

  void IndexLayers() {
    for (std::size_t at = 0; at < store_.layers.size(); ++at)
      if (!layers_.try_emplace(store_.layers[at].id, at).second)
        Missed(repeated_, "layer " + store_.layers[at].id + " is listed twice");
    FindCycles();
  }

  // Marks the layers whose parent closes a cycle.
  void FindCycles() {
    enum : char { kNew, kOnPath, kDone };
    std::vector<char> state(store_.layers.size(), kNew);
    cut_.assign(store_.layers.size(), false);
    for (std::size_t start = 0; start < store_.layers.size(); ++start) {
      std::vector<std::size_t> path;
      for (std::size_t at = start; state[at] == kNew;) {
        state[at] = kOnPath;
        path.push_back(at);
        const auto parent = layers_.find(store_.layers[at].parent);
        if (parent == layers_.end()) break;
        if (state[parent->second] == kOnPath) {
          cut_[at] = true;
          Missed(cycle_, "the parents of layer " + store_.layers[at].id + " form a cycle");
          break;
        }
        at = parent->second;
      }
      for (const std::size_t at : path) state[at] = kDone;
    }
  }

  void Refer(std::string_view layer, std::string_view from) {
    if (layer.empty()) return;
    referred_.insert(layer);
    if (!layers_.contains(layer))
      Missed(missing_, std::string(from) + " is on layer " + std::string(layer) +
                           ", which the store does not list");
  }

  void IndexReferences() {
    for (const StoredLayer& layer : store_.layers) Refer(layer.parent, "layer " + layer.id);
    for (const StoredImage& image : store_.images) {
      Refer(image.top_layer, "image " + image.id);
      for (const std::string& mapped : image.mapped_layers) Refer(mapped, "image " + image.id);
      if (!image.parent.empty()) image_parents_.insert(ImageKey(image.parent));
    }
    for (const StoredContainer& container : store_.containers) {
      Refer(container.layer, "container " + container.id);
      writable_.insert(container.layer);
    }
  }

  void AddContainer(const StoredContainer& container) {
    const std::string image = container.image.empty() ? "" : ImageKey(container.image);
    const layers::Label held{"containerd.io/gc.ref.content", image};
    metadata_.AddContainer(kSpace, container.id, image, store_.driver, container.layer,
                           image.empty() ? layers::Labels() : layers::Labels(&held, 1));
  }

  // A layer that no index lists is newer than the images, unless an index has a gap: then it may be
  // one of an image.
  void AddMounts() {
    std::string gap = store_.index_gap;
    if (gap.empty() && missing_) gap = "an image or a layer is on a layer that the store lacks";
    if (gap.empty() && (repeated_ || cycle_)) gap = "its entries contradict each other";
    for (const std::string& layer : store_.mounted_layers) {
      if (writable_.contains(layer)) continue;
      metadata_.AddMount(kSpace, store_.driver, layer);
      if (gap.empty()) continue;
      metadata_.CouldNotRead({Unread::What::kMounts, "",
                              "the image that layer " + layer.substr(0, 12) +
                                  " is mounted for may be unknown: " + gap});
      gap.clear();
    }
  }

  void AddLayers() {
    static constexpr layers::Label kRoot{"containerd.io/gc.root", "unused"};
    for (std::size_t at = 0; at < store_.layers.size(); ++at) {
      const StoredLayer& layer = store_.layers[at];
      if (layers_.at(layer.id) != at) continue;
      const bool writable = writable_.contains(layer.id);
      metadata_.AddSnapshot(
          kSpace, store_.driver, layer.id, cut_[at] ? "" : layer.parent,
          writable ? layers::SnapshotKind::kActive : layers::SnapshotKind::kCommitted, layer.usage,
          referred_.contains(layer.id) ? layers::Labels() : layers::Labels(&kRoot, 1));
    }
  }

  void AddImages() {
    std::unordered_set<std::string> added;
    for (const StoredImage& image : store_.images) {
      const std::string key = ImageKey(image.id);
      if (!added.insert(key).second) {
        Missed(repeated_, "image " + image.id + " is listed twice");
        continue;
      }
      AddImage(image, key);
    }
  }

  void AddImage(const StoredImage& image, const std::string& key) {
    std::vector<std::pair<std::string, std::string>> references;
    const std::string to_layer = "containerd.io/gc.ref.snapshot." + store_.driver;
    if (!image.top_layer.empty()) references.emplace_back(to_layer, image.top_layer);
    for (const std::string& mapped : image.mapped_layers)
      references.emplace_back(std::string(to_layer).append("/").append(mapped), mapped);
    if (!image.parent.empty())
      references.emplace_back("containerd.io/gc.ref.content.parent", ImageKey(image.parent));
    std::vector<layers::Label> labels;
    for (const auto& [name, value] : references) labels.push_back({name, value});

    constexpr std::uint64_t kMost = std::numeric_limits<std::uint8_t>::max();
    if (image.metadata.inodes > kMost)
      Missed(many_files_, "image " + image.id + " has more files than are counted");
    metadata_.AddBlob(kSpace, key, image.metadata.bytes, {}, labels,
                      static_cast<std::uint8_t>(std::min(image.metadata.inodes, kMost)));
    // Without a name, it goes with its last child.
    if (image.named || !image_parents_.contains(key)) metadata_.AddImage(kSpace, key, key);

    if (image.diff_ids.empty() && image.history.empty()) return;
    const std::vector<std::string_view> diff_ids(image.diff_ids.begin(), image.diff_ids.end());
    std::vector<layers::HistoryStep> history;
    for (const auto& step : image.history) history.push_back({step.created_by, step.empty_layer});
    metadata_.AddFacts(key, {}, diff_ids, history);
  }

  const LayerStore& store_;
  layers::MetadataSnapshot metadata_;
  std::unordered_map<std::string_view, std::size_t> layers_;  // position of the first of an ID
  std::unordered_set<std::string_view> referred_, writable_;  // layers
  std::unordered_set<std::string> image_parents_;             // keys
  std::vector<bool> cut_;
  bool repeated_ = false, cycle_ = false, missing_ = false, many_files_ = false;
};

}  // namespace

void LayerStore::Missed(Unread::What what, std::string why) {
  const bool first = std::ranges::find(unread, what, &Unread::what) == unread.end();
  if (first || unread.size() < kMostNotes) unread.push_back({what, "", std::move(why)});
}

void LayerStore::MissedInIndex(std::string why) {
  if (index_gap.empty()) index_gap = why;
  Missed(Unread::What::kObjects, std::move(why));
}

bool IsHexId(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::string ImageKey(std::string_view id) {
  return id.starts_with(kDigest) ? std::string(id) : std::string(kDigest).append(id);
}

layers::MetadataSnapshot ToSnapshot(const LayerStore& store, layers::Disk disk, SystemTime now) {
  auto metadata = Filler(store, disk, now).Fill();
  metadata.SetRecordsOf(layers::RecordsOf::kOtherStore);
  return metadata;
}

}  // namespace imagesweep::store
