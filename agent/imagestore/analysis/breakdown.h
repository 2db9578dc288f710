#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "agent/imagestore/graph/graph.h"
#include "agent/model/image_pos.h"

namespace imagesweep::layers {

// The owner of space on disk.  Space with several owners counts for the first.
enum class UsageCategory : std::uint8_t {
  kWritable,         // writable and mounted snapshots of containers, without the data written there
  kInUse,            // images (and snapshots) that containers run on
  kPinned,           // images that the runtime pins
  kIdle,             // tagged images that no container runs on
  kDangling,         // images without a tag that no container runs on
  kLeased,           // held only by a lease: pulls in progress, image volumes, tools
  kBuildCache,       // BuildKit's
  kOtherNamespaces,  // of other users of this containerd
  kOther,            // records that are not an image of the CRI, gc.root labels, downloads
  kDead,             // unreferenced; freed by the next garbage collection
};
constexpr std::size_t kUsageCategories = 10;

std::string_view ToString(UsageCategory category);  // "build-cache"

// The space of all blobs and snapshots of containerd, each counted once.
struct Breakdown {
  std::array<Reclaim, kUsageCategories> accounts;

  const Reclaim& Of(UsageCategory category) const {
    return accounts[static_cast<std::size_t>(category)];
  }
  Reclaim Total() const;
};

// `needed`: true for images that the caller knows to be in use, in addition to those that have a
// snapshot in use (SnapshotUse::kDirect).  May be empty.
Breakdown BreakDown(const LayerGraph& graph, std::span<const Image> images,
                    const ByImage<bool>& needed = {});

}  // namespace imagesweep::layers
