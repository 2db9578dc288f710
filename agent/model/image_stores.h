#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "agent/base/result.h"
#include "agent/model/analysis.h"
#include "agent/model/evidence.h"
#include "agent/model/plan.h"

// Several image stores of one machine, for example those of Docker and of Minikube.  Values only,
// for reports: nothing is removed on this evidence.

namespace imagesweep {

// A file system that holds images of a store.
struct StoreDisk {
  DiskUsage usage;
  std::string file_system;  // the same text for all directories on one file system
};

// The images of one runtime, and the containers of the same runtime that use them.
struct ImageStore {
  RuntimeIdentity runtime;
  std::size_t containers = 0;
  bool has_kubelet = false;  // pods of a kubelet run on this runtime
  Observation seen;
  ByImage<Decision> decisions;   // only the protections are evidence here; ages are not known
  std::vector<StoreDisk> disks;  // each file system once
  bool all_disks_read = true;    // false: `warnings` has the reason
  std::vector<std::string> warnings;
};

struct StoreReading {
  std::string endpoint;      // "unix:///run/docker.sock"
  Result<ImageStore> store;  // or why it cannot be read
};

enum class StoreUse {
  kInUse,   // a container of the store uses the image
  kPinned,  // the runtime keeps it: it is pinned, or the image of pod sandboxes
  kIdle,
};
std::string_view ToString(StoreUse use);  // "InUse"
StoreUse UseOf(const Decision& decision);

struct StoreTotals {
  Amount all, in_use, pinned, idle;
};
StoreTotals TotalsOf(const ImageStore& store);

// A position in the list of readings.
using StorePos = std::size_t;

// An image that several stores hold.
struct CommonImage {
  struct Copy {
    StorePos store = 0;
    ImagePos image;
  };
  std::vector<Copy> copies;  // by store
};

struct CommonDisk {
  DiskUsage usage;
  std::vector<StorePos> stores;  // with images on it
};

// The figures of all stores together.
struct StoresSummary {
  StoreTotals totals;  // sums: an image counts once for each store that holds it
  // By name.  Two images are the same if the ID of one is the ID or a repo digest of the other:
  // the ID is the digest of the configuration, or on Docker with the containerd image store that of
  // the manifest.
  std::vector<CommonImage> common;
  std::vector<CommonDisk> disks;  // each file system once
  bool all_disks_read = true;     // false: `disks` is not all of them
};

// Empty: a store could not be read, so no figure is about all of them.
std::optional<StoresSummary> Summarize(std::span<const StoreReading> stores);

}  // namespace imagesweep
