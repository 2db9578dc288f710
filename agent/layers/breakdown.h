#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "agent/layers/graph.h"

namespace imagesweep::layers {

// On whose account space on disk is.  What several hold is on the first one's account.
enum class Account : std::uint8_t {
  kWritable,         // writable and mounted snapshots of containers, without what was written there
  kInUse,            // images (and snapshots) that something runs on
  kPinned,           // images that the runtime was told to keep
  kIdle,             // tagged images that nothing runs on
  kDangling,         // images without a tag that nothing runs on
  kLeased,           // held by a lease alone: pulls in flight, image volumes, tools
  kBuildCache,       // BuildKit's
  kOtherNamespaces,  // of other users of this containerd
  kOther,            // records that are no image of the CRI, gc.root labels, downloads
  kDead,             // nobody's; gone with the next garbage collection
};
constexpr std::size_t kAccounts = 10;

std::string_view ToString(Account account);  // "build-cache"

// Everything that containerd has on disk, each blob and snapshot exactly once.
struct Breakdown {
  std::array<Reclaim, kAccounts> accounts;

  const Reclaim& Of(Account account) const { return accounts[static_cast<std::size_t>(account)]; }
  Reclaim Total() const;
};

// `needed`: parallel to the images; true for those that the caller knows to be in use, in addition
// to those that a snapshot shows (SnapshotUse::kDirect).  May be empty.
Breakdown BreakDown(const LayerGraph& graph, std::span<const Image> images,
                    const std::vector<bool>& needed = {});

}  // namespace imagesweep::layers
