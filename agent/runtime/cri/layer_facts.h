#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "agent/base/result.h"
#include "agent/model/image.h"
#include "agent/model/image_pos.h"
#include "agent/runtime/cri/connection.h"

namespace imagesweep::cri {

// The digests of the unpacked layers of an image, lowest first. Empty: the runtime does not report
// them.
using DiffIds = std::vector<std::string>;

// Reads layers through the CRI alone. ImageStatus(verbose) has the image config on containerd,
// CRI-O, and cri-dockerd, but not the size of each layer. The config of an image ID never changes,
// so each image is read once. Not thread-safe.
class LayerFacts {
 public:
  explicit LayerFacts(std::shared_ptr<Connection> connection);

  // The result is parallel to `images`, which must be one answer of ListImages. An image that has
  // disappeared since then gets an empty list. A call that fails, or an answer that is not JSON, is
  // an error.
  Result<std::vector<DiffIds>> Read(std::span<const Image> images, const std::stop_token& stop);

 private:
  const std::shared_ptr<Connection> connection_;
  std::map<std::string, DiffIds> known_;  // by image id
};

// Upper bounds that follow from the diff IDs. Images share a layer on disk if they also share all
// layers below it (its chain ID, image-spec config.md). On CRI-O and cri-dockerd, the runtime's
// Image.size is the sum of the unpacked layers of the image, so no removal frees more than that. On
// containerd it is the compressed size, which bounds nothing.
class LayerBounds {
 public:
  // Both are parallel. `sizes_are_unpacked`: the runtime reports unpacked sizes, see above.
  LayerBounds(std::span<const Image> images, const std::vector<DiffIds>& diff_ids,
              bool sizes_are_unpacked);

  std::size_t layers(ImagePos image) const { return chains_[image].size(); }
  // The number of these layers that another image also has.
  std::size_t shared_layers(ImagePos image) const;
  // Bytes of layers that the removal of exactly these images frees, without their configurations
  // and manifests (a few KiB each). Empty: unknown. Equal chains count once.
  std::optional<std::uint64_t> FreesAtMost(std::span<const ImagePos> images) const;
  // Bytes that the layers of these images take on disk.
  std::optional<std::uint64_t> TakesAtMost(std::span<const ImagePos> images) const;

 private:
  // The sum of the largest size of each chain. An image whose layers are unknown is a chain of its
  // own.
  std::uint64_t SumOfChains(std::span<const ImagePos> images) const;

  const bool bounded_;
  ByImage<std::uint64_t> sizes_;
  // The numbers of their layers, equal for equal chain IDs. Empty: unknown.
  ByImage<std::vector<std::uint32_t>> chains_;
  std::vector<std::uint32_t> carriers_;  // number of images, by the number of the layer
};

}  // namespace imagesweep::cri
