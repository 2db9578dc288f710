#include "agent/execute/last_look.h"

#include <algorithm>

namespace imagesweep {
namespace {

bool SameNames(const Image& a, const Image& b) {
  const auto same = [](std::vector<ImageName> left, std::vector<ImageName> right) {
    std::ranges::sort(left);
    std::ranges::sort(right);
    return left == right;
  };
  return same(a.tags, b.tags) && same(a.digests, b.digests);
}

}  // namespace

// Is it still the image that the plan meant?  Not the last word: containers are read after this.
std::optional<LookResult> LastLook::LookAtImage(const Image& planned, const std::stop_token& stop) {
  auto status = runtime_.ImageStatus(planned.id, stop);
  if (!status) return Refusal{"images", std::move(status).error()};
  if (!*status) return NotAnyMore{"it is gone already"};
  const Image& now = **status;
  if (now.id != planned.id)
    return Refusal{"images",
                   {ErrorKind::kIncomplete, "asked for " + planned.id.text() +
                                                ", the runtime answered with " + now.id.text()}};
  if (now.pinned) return NotAnyMore{"the runtime has pinned it since the plan was made"};
  if (!SameNames(planned, now)) return NotAnyMore{"its names changed since the plan was made"};
  return std::nullopt;
}

LookResult LastLook::Look(const Image& planned, const Evidence& evidence, const ImageIndex& index,
                          const std::stop_token& stop) {
  if (auto ended = LookAtImage(planned, stop)) return *std::move(ended);
  const auto means_it = [&](const auto& reference) {
    return std::ranges::any_of(index.Resolve(reference), [&](std::uint32_t at) {
      return evidence.images[at].id == planned.id;
    });
  };
  // Twice at most: a pod that started since the last list makes the first view contradictory, and a
  // new list clears that up.
  Millis max_age = expected_.max_pod_list_age;
  for (bool again = false;; again = true) {
    // A new list may take its time, so it comes before the containers, and the watch after them.
    std::optional<PodEvidence> pods;
    if (auto read = ReadPods(max_age, pods, stop); !read)
      return Refusal{"pods", std::move(read).error()};
    const auto use = runtime_.ReadUse(stop);
    if (!use) return Refusal{"containers", use.error()};
    const SteadyTime looked_at = clock_.Steady();
    if (auto read = ReadPods(expected_.max_pod_list_age, pods, stop); !read)
      return Refusal{"pods", std::move(read).error()};

    const View view{evidence.images, index, *use, pods ? &*pods : nullptr};
    if (auto refusal = Examine(view, expected_, clock_.Steady())) {
      if (again || pods_ == nullptr) return *std::move(refusal);
      max_age = Millis::zero();
      continue;
    }
    if (pods)
      for (const ImageReference& reference : pods->references)
        if (means_it(reference)) return NotAnyMore{"came into use by " + Describe(reference.by)};
    for (const ImageReference& reference : use->references)
      if (means_it(reference)) return NotAnyMore{"came into use by " + Describe(reference.by)};
    for (const std::string& text : use->sandbox_images)
      if (means_it(text)) return NotAnyMore{"it became the pause image"};
    return StillUnused{looked_at};
  }
}

Status LastLook::ReadPods(Millis max_age, std::optional<PodEvidence>& into,
                          const std::stop_token& stop) {
  if (pods_ == nullptr) return Done{};
  auto pods = pods_->Read(max_age, stop);
  if (!pods) return std::move(pods).error();
  into = *std::move(pods);
  return Done{};
}

}  // namespace imagesweep
