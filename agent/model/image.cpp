#include "agent/model/image.h"

#include <algorithm>
#include <string_view>

namespace imagesweep {

std::string ShownName(std::string_view display_name) {
  constexpr std::string_view kSha256 = "sha256:", kHex = "0123456789abcdef";
  constexpr std::size_t kDigits = 64, kShown = 12;
  std::string_view digits = display_name;
  if (digits.starts_with(kSha256)) digits.remove_prefix(kSha256.size());
  const bool is_id =
      digits.size() == kDigits && digits.find_first_not_of(kHex) == std::string_view::npos;
  if (!is_id) return std::string(display_name);
  return "<none> (" + std::string(digits.substr(0, kShown)) + ")";
}

std::string ShownName(const Image& image) {
  return ShownName(image.display_name());
}

bool LooksLikePause(const Image& image) {
  const auto pause = [](const ImageName& name) {
    auto last = name.repository();
    if (const auto slash = last.rfind('/'); slash != std::string_view::npos)
      last.remove_prefix(slash + 1);
    return last == "pause" || last.ends_with("-pause") || last.starts_with("pause-");
  };
  return std::ranges::any_of(image.tags, pause) || std::ranges::any_of(image.digests, pause);
}

}  // namespace imagesweep
