#include "agent/runtime/docker/removal_steps.h"

#include <algorithm>
#include <iterator>
#include <string_view>

namespace imagesweep::docker {
namespace {

bool HasRepository(const std::vector<ImageName>& names, std::string_view repository) {
  return std::ranges::any_of(
      names, [&](const ImageName& name) { return name.repository() == repository; });
}

}  // namespace

std::vector<ImageName> NamesToRemoveFirst(const Image& image) {
  std::vector<ImageName> tags = image.tags;
  std::ranges::stable_partition(
      tags, [&](const ImageName& tag) { return !HasRepository(image.digests, tag.repository()); });
  std::string_view left;  // the repository that stays to the end
  if (!tags.empty())
    left = tags.back().repository();
  else if (!image.digests.empty())
    left = image.digests.back().repository();
  std::vector<ImageName> first(tags.begin(), tags.empty() ? tags.end() : std::prev(tags.end()));
  for (const ImageName& digest : image.digests)
    if (digest.repository() != left && !HasRepository(image.tags, digest.repository()))
      first.push_back(digest);
  return first;
}

}  // namespace imagesweep::docker
