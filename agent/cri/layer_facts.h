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
#include "agent/cri/connection.h"
#include "agent/model/image.h"

namespace imagesweep::cri {

// The digests of an image's unpacked layers, lowest first; empty: the runtime does not say.
using DiffIds = std::vector<std::string>;

// What a runtime tells of layers over the CRI alone: ImageStatus(verbose) has the image's config,
// on containerd, CRI-O and cri-dockerd alike, but not what a layer takes.  Of an image id neither
// ever changes, so each is asked for once.  Not for several threads at once.
class LayerFacts {
 public:
  explicit LayerFacts(std::shared_ptr<Connection> connection);

  // Parallel to the images, which are one answer of ListImages.  An image that went since is one
  // of which the runtime does not say; an answer that is no JSON, or that did not come, is an
  // error.
  Result<std::vector<DiffIds>> Read(std::span<const Image> images, const std::stop_token& stop);

 private:
  const std::shared_ptr<Connection> connection_;
  std::map<std::string, DiffIds> known_;  // by image id
};

// What the diff ids bound.  A layer is one on disk for several images when all below it are, too
// (its chain id, image-spec config.md), and the runtime's Image.size is the sum of an image's
// unpacked layers on CRI-O and cri-dockerd, so that no removal frees more of them than that.  On
// containerd it is the compressed size, and bounds nothing.
class LayerBounds {
 public:
  // Both parallel.  `sizes_are_unpacked`: what the runtime counts, see above.
  LayerBounds(std::span<const Image> images, const std::vector<DiffIds>& diff_ids,
              bool sizes_are_unpacked);

  std::size_t layers(std::uint32_t image) const { return chains_[image].size(); }
  // Of them, those that another image has as well.
  std::size_t shared_layers(std::uint32_t image) const;
  // Of the layers' bytes, were these images to go and no others; configuration and manifest, a few
  // KiB of each, apart.  Empty: not known.  Equal chains count once.
  std::optional<std::uint64_t> FreesAtMost(std::span<const std::uint32_t> images) const;
  // Of the layers' bytes on disk that belong to these images.
  std::optional<std::uint64_t> TakesAtMost(std::span<const std::uint32_t> images) const;

 private:
  // The largest size of each chain; an image of unknown layers is a chain of its own.
  std::uint64_t SumOfChains(const std::vector<std::uint32_t>& images) const;

  const bool bounded_;
  std::vector<std::uint64_t> sizes_;
  // Parallel to the images: numbers of their layers, equal for equal chain ids; empty: not known.
  std::vector<std::vector<std::uint32_t>> chains_;
  std::vector<std::uint32_t> carriers_;  // images, by the number of the layer
};

}  // namespace imagesweep::cri
