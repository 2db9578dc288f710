#include "agent/imagestore/graph/record_names.h"

#include <algorithm>
#include <utility>

namespace imagesweep::layers {

std::vector<ImageName> NamesBesideTheCri(const Image& image,
                                         std::span<const NativeRecord> records) {
  std::vector<ImageName> names;
  for (const NativeRecord& record : records) {
    if (record.name.starts_with("sha256:") || record.name.find('@') != std::string::npos) continue;
    ImageName name = ImageName::Parse(record.name);
    const auto is_it = [&](const ImageName& other) { return other.text() == name.text(); };
    if (std::ranges::none_of(image.tags, is_it) && std::ranges::none_of(names, is_it))
      names.push_back(std::move(name));
  }
  return names;
}

}  // namespace imagesweep::layers
