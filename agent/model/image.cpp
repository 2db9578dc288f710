#include "agent/model/image.h"

#include <algorithm>
#include <string_view>

namespace imagesweep {

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
