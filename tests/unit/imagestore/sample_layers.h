#pragma once

#include "tests/unit/imagestore/spec.h"

// A few layers to build images of, and their sizes.

namespace imagesweep::layers {

inline constexpr std::uint64_t kBlock = 4096;
inline constexpr std::uint64_t kDirs = 8192;  // of one snapshot on ext4
inline const LabNode::Layer kBase{"B", 10'000, {50'000, 5}};
inline const LabNode::Layer kRun{"R", 20'000, {70'000, 7}};
inline const LabNode::Layer kApp{"A", 30'000, {90'000, 9}};
inline const LabNode::Layer kOther{"O", 5'000, {11'000, 1}};

inline std::uint64_t Blocks(std::uint64_t bytes) {
  return (bytes + kBlock - 1) / kBlock * kBlock;
}
// The blob and the snapshot of one layer.
inline std::uint64_t Size(const LabNode::Layer& layer) {
  return Blocks(layer.blob_bytes) + layer.usage.bytes + kDirs;
}
inline constexpr std::uint64_t kPapers = 2 * kBlock;  // manifest and config

inline std::uint64_t BytesFreed(const LabNode& node, const std::vector<ImagePos>& images) {
  return node.Graph().FreedBy(images).space.bytes;
}

}  // namespace imagesweep::layers
