#include "agent/model/image.h"

#include <algorithm>
#include <string_view>

namespace imagesweep {
namespace {

// `ctr images import --digests`, which is how kind loads images, makes up a repository of its own:
// "import-2026-11-20@sha256:…".  No registry has it.  Source: containerd, cmd/ctr/commands/images.
bool IsOfAnImport(const ImageName& digest) {
  constexpr std::string_view kPrefix = "docker.io/library/import-", kDate = "0000-00-00";
  std::string_view date = digest.repository();
  if (!date.starts_with(kPrefix)) return false;
  date.remove_prefix(kPrefix.size());
  return std::ranges::equal(date, kDate, [](char is, char form) {
    return form == '0' ? is >= '0' && is <= '9' : is == form;
  });
}

}  // namespace

bool Image::local_only() const noexcept {
  return std::ranges::all_of(digests, IsOfAnImport);
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
