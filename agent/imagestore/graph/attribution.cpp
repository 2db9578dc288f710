#include "agent/imagestore/graph/attribution.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <unordered_map>

#include "agent/imagestore/graph/docker_attribution.h"
#include "agent/model/image_name.h"

namespace imagesweep::layers {

namespace {

constexpr ImagePos kNone(0xFFFFFFFF);
// An index of all platforms leads to a few dozen manifests; labels may lead anywhere.
constexpr std::size_t kMaxExpanded = 512;

// Walks from targets of records to configs that the CRI lists as images.
class Finder {
 public:
  Finder(const MetadataSnapshot& metadata, const ObjectIndex& index, std::span<const Image> images)
      : metadata_(metadata),
        index_(index),
        image_of_(metadata.keys().size(), kNone),
        walked_(metadata.blobs().size(), 0) {
    for (const ImagePos at : Positions(images)) {
      const std::string& id = At(images, at).id.text();
      Key key = metadata.keys().Find(id);
      if (key == kNoKey) key = metadata.keys().Find("sha256:" + id);
      if (key != kNoKey) image_of_[metadata.keys().Index(key)] = at;
    }
    for (const ImageFacts& facts : metadata.facts()) {
      const ImagePos image = ImageOf(facts.id);
      if (image == kNone) continue;
      for (const Key manifest : facts.manifests)
        if (ImageOf(manifest) == kNone) image_of_[metadata.keys().Index(manifest)] = image;
    }
  }

  ImagePos ImageOf(Key key) const {
    return key == kNoKey ? kNone : image_of_[metadata_.keys().Index(key)];
  }

  // The images that the record may belong to, ascending; valid until the next call.
  const std::vector<ImagePos>& OwnersOf(const ImageRecord& record) {
    const auto [known, fresh] = found_.try_emplace(record.target);
    std::vector<ImagePos>& owners = known->second;
    if (fresh) {
      Walk(record.target, owners);
      std::ranges::sort(owners);
      owners.erase(std::unique(owners.begin(), owners.end()), owners.end());
    }
    if (!owners.empty()) return owners;
    // Without labels there is still the CRI's own record, whose name is the ID.
    by_name_.clear();
    if (const ImagePos image = ImageOf(record.name); image != kNone) by_name_.push_back(image);
    return by_name_;
  }

 private:
  void Walk(Key target, std::vector<ImagePos>& owners) {
    ++walk_;
    std::size_t expanded = 0;
    pending_.assign(1, target);
    // Breadth first, because the config is one or two steps away.
    for (std::size_t next = 0; next < pending_.size() && expanded < kMaxExpanded; ++next) {
      const Key digest = pending_[next];
      if (const ImagePos image = ImageOf(digest); image != kNone) {
        owners.push_back(image);
        continue;
      }
      const Node node = index_.FindBlob(metadata_.cri_namespace(), digest);
      if (node == kNoNode || walked_[node] == walk_) continue;
      walked_[node] = walk_;
      const auto children = metadata_.Of(metadata_.blobs()[node].references);
      if (!children.empty()) ++expanded;
      for (const Reference& child : children)
        if (child.type == ObjectType::kContent && !child.back) pending_.push_back(child.key);
    }
  }

  const MetadataSnapshot& metadata_;
  const ObjectIndex& index_;
  std::vector<ImagePos> image_of_;                        // by KeyTable::Index
  std::unordered_map<Key, std::vector<ImagePos>> found_;  // by target: records share them
  std::vector<ImagePos> by_name_;
  std::vector<std::uint32_t> walked_;  // by blob: the last walk that visited it
  std::uint32_t walk_ = 0;
  std::vector<Key> pending_;
};

}  // namespace

Attribution Attribute(const MetadataSnapshot& metadata, const ObjectIndex& index,
                      std::span<const Image> images) {
  if (metadata.records_of() == RecordsOf::kDocker) return AttributeDocker(metadata, index, images);
  Attribution result;
  result.records.resize(images.size());
  result.tops.resize(images.size());
  result.configs.assign(images.size(), kNoNode);
  result.built_on.assign(images.size(), false);
  result.owners.assign(metadata.images().size(), 0);
  Finder finder(metadata, index, images);
  for (std::uint32_t i = 0; i < metadata.images().size(); ++i) {
    const ImageRecord& record = metadata.images()[i];
    if (record.space != metadata.cri_namespace()) continue;
    for (const ImagePos image : finder.OwnersOf(record)) {
      result.records[image].push_back(index.first_image() + i);
      ++result.owners[i];
    }
  }
  for (const ImagePos at : Positions(images)) {
    const std::string& id = At(images, at).id.text();
    Key key = metadata.keys().Find(id);
    if (key == kNoKey) key = metadata.keys().Find("sha256:" + id);
    const Node config = index.FindBlob(metadata.cri_namespace(), key);
    result.configs[at] = config;
    if (config == kNoNode) continue;
    for (const Reference& child : metadata.Of(metadata.blobs()[config].references)) {
      const Node top =
          child.type == ObjectType::kSnapshot && !child.back
              ? index.FindSnapshot(metadata.cri_namespace(), child.snapshotter, child.key)
              : kNoNode;
      if (top != kNoNode) result.tops[at].push_back(top);
    }
  }
  return result;
}

// Like distribution/reference: a name that cannot be parsed stays unchanged.
std::string NameInCri(std::string_view record_name) {
  constexpr std::string_view kHub = "docker.io",
                             kPathLetters = "abcdefghijklmnopqrstuvwxyz0123456789._-/";
  if (record_name.starts_with("sha256:")) return std::string(record_name);
  const auto first = record_name.substr(0, record_name.find('/'));
  const bool has_host =
      first.size() < record_name.size() &&
      (first.find_first_of(".:") != std::string_view::npos || first == "localhost" ||
       std::ranges::any_of(first, [](char c) { return c >= 'A' && c <= 'Z'; }));
  std::string_view host = has_host ? first : kHub;
  const auto rest = has_host ? record_name.substr(first.size() + 1) : record_name;
  const auto path = rest.substr(0, rest.find_first_of(":@"));
  if (path.empty() || path.find_first_not_of(kPathLetters) != std::string_view::npos)
    return std::string(record_name);
  if (host == "index.docker.io") host = kHub;
  std::string name = std::string(host) + "/";
  if (host == kHub && path.find('/') == std::string_view::npos) name += "library/";
  return name.append(rest);
}

bool SurvivesRemoveImage(std::string_view record_name) {
  return NameInCri(record_name) != record_name;
}

}  // namespace imagesweep::layers
