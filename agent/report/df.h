#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agent/report/text.h"

namespace imagesweep {

// Space on disk, counted in blocks, and what takes it.
struct SpaceOnDisk {
  std::uint64_t bytes = 0;
  std::uint64_t inodes = 0;
  std::uint64_t blobs = 0;
  std::uint64_t snapshots = 0;
};

// What a removal frees, and how sure that is.
struct FreedSpace {
  SpaceOnDisk space;
  std::string certainty = "exactly";  // "at least", "at most", "roughly", "not known" (no figure)
  std::string why;                    // empty when exact
};

// Where the space of the image store goes, each byte once.
struct DiskUse {
  struct Account {
    std::string name;
    SpaceOnDisk space;
    std::size_t images = 0;  // with bounds alone
  };
  struct ImageSpace {
    std::string id;
    std::string name;
    std::vector<std::string> tags;
    bool in_use = false;  // something runs on it, or on an image that is built on it
    bool pinned = false;
    SpaceOnDisk total, unique;  // unique: no other image has it
    FreedSpace freed;           // were it the only one to go
    // Names of it that the runtime's own removal leaves behind, and with them everything.
    std::vector<std::string> survivors = {};
    // With bounds alone; no layers: not known.
    std::size_t layers = 0, shared_layers = 0;
  };
  struct Removal {  // --if-removed
    std::vector<std::string> names;
    FreedSpace freed;
    std::vector<std::string> in_use = {};  // of these: what containers hold of them stays
  };
  std::string node;
  std::string observed_at;
  std::string directory;            // of the image store
  std::optional<SpaceOnDisk> disk;  // used there, by statvfs; blobs and snapshots are 0
  bool counts_inodes = true;        // false: a file system without a number of inodes (btrfs)
  std::vector<Account> accounts;
  std::vector<ImageSpace> images;  // those that free most first
  std::optional<Removal> removal;
  std::vector<std::string> unread;  // what could not be read
  std::vector<std::string> warnings;
  // Why there are no figures but the runtime's sizes, and what these bound; empty: there are.
  // Accounts, unique and freed are upper bounds then, or not known, and `total` is that size.
  std::string bounds_only;
  bool bounded = false;  // sizes are those of unpacked layers: upper bounds

  SpaceOnDisk Counted() const;
};

// kind DiskUse of apiVersion imagesweep/v1alpha1, as the other documents.
std::string DiskUseJson(const DiskUse& use);
// The people's view; with a Removal, that alone.
std::string DiskUseText(const DiskUse& use, const TextOptions& options);

}  // namespace imagesweep
