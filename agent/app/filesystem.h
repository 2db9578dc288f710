#pragma once

#include <memory>

#include "agent/base/clock.h"
#include "agent/model/ports.h"

namespace imagesweep {

// statvfs(3).  Paths are those of the runtime; a pod must mount them at the same place.
class StatvfsFilesystem final : public Filesystem {
 public:
  // `settle_at_most`: maximum time that Settle waits for syncfs(2).
  explicit StatvfsFilesystem(Millis settle_at_most);
  StatvfsFilesystem() : StatvfsFilesystem(std::chrono::seconds(10)) {}

  // kNotFound: the path does not exist.
  Result<DiskUsage> Stat(const std::string& mountpoint) override;
  // Calls syncfs(2) on btrfs, which frees space with its next commit, and on XFS, which frees
  // inodes in the background.  One sync at a time: a call during a sync only waits for that sync.
  void Settle(const std::string& mountpoint) override;

 private:
  struct Sync;
  const Millis settle_at_most_;
  std::shared_ptr<Sync> sync_;  // the newest; shared with its thread, which may outlive this
};

// Checks the figures as the kubelet does (image_gc_manager.go): capacity 0 is an error, and
// available space above the capacity is clamped.
Result<DiskUsage> CheckedUsage(DiskUsage usage);

}  // namespace imagesweep
