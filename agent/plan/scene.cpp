#include "agent/plan/scene.h"

#include <algorithm>
#include <functional>
#include <tuple>

namespace imagesweep {
namespace {

// A pause image by its name alone, for runtimes that do not say: registry.k8s.io/pause,
// rancher/mirrored-pause, k8s.gcr.io/pause-amd64.
bool LooksLikePause(const ImageName& name) {
  auto last = name.repository();
  if (const auto slash = last.rfind('/'); slash != std::string_view::npos)
    last.remove_prefix(slash + 1);
  return last == "pause" || last.ends_with("-pause") || last.starts_with("pause-");
}

bool LooksLikePause(const Image& image) {
  const auto pause = [](const ImageName& name) { return LooksLikePause(name); };
  return std::ranges::any_of(image.tags, pause) || std::ranges::any_of(image.digests, pause);
}

// Many containers share few images, so each distinct text is resolved once.
class Resolver {
 public:
  explicit Resolver(const ImageIndex& index, std::size_t expected) : index_(index) {
    known_.reserve(expected);
  }
  const std::vector<std::uint32_t>& operator()(const ImageReference& reference) {
    const Key key{reference.text, reference.resolved};
    auto it = known_.find(key);
    if (it == known_.end()) it = known_.emplace(key, index_.Resolve(reference)).first;
    return it->second;
  }

 private:
  using Key = std::pair<std::string_view, std::string_view>;
  struct Hash {
    std::size_t operator()(const Key& key) const {
      return std::hash<std::string_view>()(key.first) * 31 +
             std::hash<std::string_view>()(key.second);
    }
  };
  const ImageIndex& index_;
  std::unordered_map<Key, std::vector<std::uint32_t>, Hash> known_;
};

}  // namespace

Scene::Scene(const Policy& policy, const Observation& seen)
    : policy_(policy),
      seen_(seen),
      used_by_(seen.images.size()),
      sandbox_(seen.images.size()),
      self_(seen.images.size()) {
  const ImageIndex index(seen.images);
  Resolver resolve(index, seen.references.size());
  for (std::uint32_t at = 0; at < seen.references.size(); ++at)
    for (const auto image : resolve(seen.references[at])) used_by_[image].push_back(at);
  for (const auto& text : seen.sandbox_images)
    for (const auto image : index.Resolve(text)) sandbox_[image] = true;
  for (const auto& text : seen.own_images)
    for (const auto image : index.Resolve(text)) self_[image] = true;

  for (std::uint32_t at = 0; at < seen.images.size(); ++at) {
    if (LooksLikePause(seen.images[at])) sandbox_[at] = true;
    for (const ImageName& tag : seen.images[at].tags) {
      const auto [it, fresh] = newest_tag_.try_emplace(tag.repository(), Newest{at, &tag});
      if (fresh) continue;
      // The name breaks ties, so that the order of the list does not.
      const auto rank = [&](std::uint32_t image, const ImageName& name) {
        return std::tuple<SystemTime, std::string_view>(seen.ages[image].first_seen, name.text());
      };
      if (rank(at, tag) > rank(it->second.image, *it->second.tag)) it->second = Newest{at, &tag};
    }
  }
}

std::vector<Referrer> Scene::UsedBy(std::uint32_t at) const {
  std::vector<Referrer> users;
  for (const auto reference : used_by_[at]) {
    const Referrer& by = seen_.references[reference].by;
    if (std::ranges::find(users, by) == users.end()) users.push_back(by);
  }
  return users;
}

std::string_view Scene::TaggedSibling(std::uint32_t at) const {
  for (const ImageName& digest : image(at).digests) {
    const auto it = newest_tag_.find(digest.repository());
    if (it != newest_tag_.end() && it->second.image != at) return it->second.tag->text();
  }
  return {};
}

std::vector<bool> ReferencedImages(const ImageIndex& index, std::size_t images,
                                   const std::vector<ImageReference>& references) {
  std::vector<bool> referenced(images);
  Resolver resolve(index, references.size());
  for (const auto& reference : references)
    for (const auto image : resolve(reference)) referenced[image] = true;
  return referenced;
}

}  // namespace imagesweep
