#include "agent/cli/image_choice.h"

#include <algorithm>

#include "agent/model/image_index.h"

namespace imagesweep {
namespace {

// As of a short id: fewer digits are rather a slip.
constexpr std::size_t kFewestDigits = 6;

}  // namespace

std::vector<std::uint32_t> ImagesMeantBy(std::span<const Image> images, const std::string& text) {
  std::vector<std::uint32_t> meant = ImageIndex(images).Resolve(text);
  const auto digest = text.find("@sha256:");
  if (!meant.empty() || digest == std::string::npos ||
      text.size() < digest + std::string_view("@sha256:").size() + kFewestDigits)
    return meant;
  for (std::uint32_t at = 0; at < images.size(); ++at)
    if (std::ranges::any_of(images[at].digests,
                            [&](const ImageName& name) { return name.text().starts_with(text); }))
      meant.push_back(at);
  return meant;
}

}  // namespace imagesweep
