#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agent/report/documents/text.h"

namespace imagesweep {

// Space on disk, counted in blocks, and the objects that take it.
struct SpaceOnDisk {
  std::uint64_t bytes = 0;
  std::uint64_t inodes = 0;
  std::uint64_t blobs = 0;
  std::uint64_t snapshots = 0;
};

// The space that a removal frees, and the certainty of the figure.
struct FreedSpace {
  SpaceOnDisk space;
  std::string certainty = "exactly";  // "at least", "at most", "roughly", "not known" (no figure)
  std::string why;                    // the reason if not exact; empty if exact
};

// Disk usage of the image store; counts each byte once.
struct DiskUse {
  struct UsageCategory {
    std::string name;
    SpaceOnDisk space;
    std::size_t images = 0;  // only with bounds
  };
  struct ImageSpace {
    std::string id;
    std::string name;
    std::vector<std::string> tags;
    bool in_use = false;  // a container uses it, or an image that is built on it
    bool pinned = false;
    SpaceOnDisk total, unique;  // unique: in no other image
    FreedSpace freed;           // if only this image is removed
    // Names that remain after a removal by the runtime, so that it frees nothing.
    std::vector<std::string> survivors = {};
    // Only with bounds; 0 layers: not known.
    std::size_t layers = 0, shared_layers = 0;
  };
  struct Removal {  // --if-removed
    std::vector<std::string> names;
    FreedSpace freed;
    std::vector<std::string> in_use = {};  // of these, the ones in use; their layers stay
  };
  std::string node;
  std::string observed_at;
  std::string directory;            // of the image store
  std::optional<SpaceOnDisk> disk;  // used on its file system (statvfs); blobs and snapshots are 0
  bool counts_inodes = true;        // false: a file system without inode counts (btrfs)
  std::vector<UsageCategory> accounts;
  std::vector<ImageSpace> images;  // by freed space, descending
  std::optional<Removal> removal;
  std::vector<std::string> unread;  // errors of reads
  std::vector<std::string> warnings;
  // The reason why only the sizes of the runtime are known; empty: exact sizes are known.
  // With a reason, accounts, unique and freed are upper bounds or not known, and `total` is the
  // size of the runtime.
  std::string bounds_only;
  bool bounded = false;  // the runtime reports sizes of unpacked layers, which are upper bounds

  SpaceOnDisk Counted() const;
};

// kind DiskUse of apiVersion imagesweep/v1alpha1, as the other documents.
std::string DiskUseJson(const DiskUse& use);
// For a terminal; with a Removal, only that.
std::string DiskUseText(const DiskUse& use, const TextOptions& options);

}  // namespace imagesweep
