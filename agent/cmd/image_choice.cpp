#include "agent/cmd/image_choice.h"

#include <algorithm>

#include "agent/model/image_index.h"

namespace imagesweep {
namespace {

// As for short IDs: fewer digits are probably a mistake.
constexpr std::size_t kFewestDigits = 6;

std::string_view WithoutAlgorithm(std::string_view text) {
  if (text.starts_with("sha256:")) text.remove_prefix(7);
  return text;
}

// A user may write fewer digits of an ID than a pod.
std::vector<ImagePos> ByBeginningOfId(std::span<const Image> images, std::string_view hex) {
  std::vector<ImagePos> meant;
  if (!IsHex(hex)) return meant;
  for (const ImagePos at : Positions(images))
    if (WithoutAlgorithm(At(images, at).id.text()).starts_with(hex)) meant.push_back(at);
  return meant;
}

}  // namespace

std::vector<ImagePos> ImagesMeantBy(std::span<const Image> images, const std::string& text) {
  std::vector<ImagePos> meant = ImageIndex(images).Resolve(text);
  if (meant.empty()) meant = ByBeginningOfId(images, WithoutAlgorithm(text));
  const auto digest = text.find("@sha256:");
  if (!meant.empty() || digest == std::string::npos ||
      text.size() < digest + std::string_view("@sha256:").size() + kFewestDigits)
    return meant;
  const std::string whole =
      JoinRepository(SplitRepository(text.substr(0, digest))) + text.substr(digest);
  for (const ImagePos at : Positions(images))
    if (std::ranges::any_of(At(images, at).digests, [&](const ImageName& name) {
          return name.text().starts_with(text) || name.text().starts_with(whole);
        }))
      meant.push_back(at);
  return meant;
}

}  // namespace imagesweep
