#include "agent/gc/plan/plan_context.h"

#include <algorithm>
#include <tuple>

namespace imagesweep {

PlanContext::PlanContext(const Policy& policy, const Observation& seen,
                         const layers::LayerGraph* graph)
    : policy_(policy),
      seen_(seen),
      graph_(graph),
      sandbox_(seen.images.size()),
      self_(seen.images.size()) {
  const ImageIndex index(seen.images, seen.short_name_aliases);
  FindUsers(index);
  for (const auto& text : seen.sandbox_images)
    for (const auto image : index.Resolve(text)) sandbox_[image] = true;
  for (const auto& text : seen.own_images)
    for (const auto image : index.Resolve(text)) self_[image] = true;
  for (const ImagePos at : Positions(seen.images))
    if (LooksLikePause(seen.images[at])) sandbox_[at] = true;
  FindNewestTags();
  ByImage<bool> used(seen.images.size());
  for (const ImagePos at : Positions(used)) used[at] = in_use(at);
  needs_ = WorkloadNeeds(policy.keep.workloads, seen, index);
  rankings_ = TagRankings(policy, seen, used, needs_);
}

void PlanContext::FindUsers(const ImageIndex& index) {
  struct Use {
    ImagePos image;
    std::uint32_t reference;
  };
  std::vector<Use> uses;
  uses.reserve(seen_.references.size());
  std::vector<std::uint32_t> next(seen_.images.size() + 1);
  std::vector<ImagePos> found;
  for (std::uint32_t at = 0; at < seen_.references.size(); ++at) {
    index.ResolveInto(seen_.references[at], found);
    for (const ImagePos image : found) {
      uses.push_back({image, at});
      ++next[image.value() + 1];
    }
  }
  for (std::size_t i = 1; i < next.size(); ++i) next[i] += next[i - 1];
  const auto begin = next;
  std::vector<std::uint32_t> sorted(uses.size());
  for (const Use& use : uses) sorted[next[use.image.value()]++] = use.reference;

  users_begin_.reserve(begin.size());
  users_begin_.push_back(0);
  users_.reserve(sorted.size());
  for (std::size_t image = 0; image + 1 < begin.size(); ++image) {
    for (auto i = begin[image]; i < begin[image + 1]; ++i) {
      const ImageUser& by = seen_.references[sorted[i]].by;
      const auto same = [&](std::uint32_t other) { return seen_.references[other].by == by; };
      if (std::none_of(users_.begin() + users_begin_.back(), users_.end(), same))
        users_.push_back(sorted[i]);
    }
    users_begin_.push_back(static_cast<std::uint32_t>(users_.size()));
  }
}

void PlanContext::FindNewestTags() {
  for (const Image& image : seen_.images)
    if (image.tags.empty())
      for (const ImageName& digest : image.digests)
        newest_tag_.try_emplace(digest.repository(), Newest{});
  if (newest_tag_.empty()) return;
  // The name breaks ties, so that the result does not depend on the order of the list.
  const auto rank = [&](ImagePos image, const ImageName& name) {
    return std::tuple<SystemTime, std::string_view>(seen_.ages[image].first_seen, name.text());
  };
  for (const ImagePos at : Positions(seen_.images)) {
    for (const ImageName& tag : seen_.images[at].tags) {
      const auto it = newest_tag_.find(tag.repository());
      if (it == newest_tag_.end()) continue;
      Newest& newest = it->second;
      if (newest.tag == nullptr || rank(at, tag) > rank(newest.image, *newest.tag))
        newest = {at, &tag};
    }
  }
}

std::string_view PlanContext::TaggedSibling(ImagePos at) const {
  for (const ImageName& digest : image(at).digests) {
    const auto it = newest_tag_.find(digest.repository());
    if (it != newest_tag_.end() && it->second.tag != nullptr) return it->second.tag->text();
  }
  return {};
}

ByImage<bool> ReferencedImages(const ImageIndex& index, std::size_t images,
                               const std::vector<ImageReference>& references) {
  ByImage<bool> referenced(images);
  std::vector<ImagePos> found;
  for (const auto& reference : references) {
    index.ResolveInto(reference, found);
    for (const auto image : found) referenced[image] = true;
  }
  return referenced;
}

}  // namespace imagesweep
