#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "agent/model/image.h"
#include "agent/model/image_pos.h"

namespace imagesweep {

// "sha256:" and 64 hexadecimal digits made from a short word, so that tests can use Id("a").
inline std::string Id(std::string_view word) {
  constexpr char kHex[] = "0123456789abcdef";
  std::string hex;
  for (const char c : word) {
    hex += kHex[(static_cast<unsigned char>(c) >> 4) & 0xF];
    hex += kHex[static_cast<unsigned char>(c) & 0xF];
  }
  hex.resize(64, '0');
  return "sha256:" + hex;
}

// Positions of images: ImagesAt(0, 2).
template <typename... At>
std::vector<ImagePos> ImagesAt(At... at) {
  return {ImagePos(at)...};
}

// A pulled image with an ID made from `word`, these tags, and one repo digest for the repository of
// each tag.
inline Image Img(std::string_view word, std::initializer_list<std::string_view> tags,
                 std::uint64_t size = 1024) {
  Image image;
  image.id = ImageId(Id(word));
  image.size_bytes = size;
  for (const auto tag : tags) {
    image.tags.push_back(ImageName::Parse(tag));
    image.digests.push_back(ImageName::Parse(std::string(image.tags.back().repository()) + "@" +
                                             Id("digest-" + std::string(word))));
  }
  if (!image.digests.empty())
    image.origin = {OriginKind::kPulled, "pulled by the test", image.digests.front().text()};
  return image;
}

// Built or imported on the node: it has no repo digest, and nothing proves that a registry has it.
inline void MakeLocal(Image& image) {
  image.digests.clear();
  image.origin = {OriginKind::kLocal, "built by the test", {}};
}

}  // namespace imagesweep
