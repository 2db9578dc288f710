#pragma once

#include <memory>

#include "agent/base/clock.h"
#include "agent/model/ports.h"

namespace imagesweep {

// statvfs(3).  The path is the runtime's; inside a pod it must be mounted at the same place.
class StatvfsFilesystem final : public Filesystem {
 public:
  // `settle_at_most`: how long Settle waits for syncfs(2).
  explicit StatvfsFilesystem(Millis settle_at_most);
  StatvfsFilesystem() : StatvfsFilesystem(std::chrono::seconds(10)) {}

  // kNotFound: there is no such path.
  Result<DiskUsage> Stat(const std::string& mountpoint) override;
  // syncfs(2) on btrfs, which frees space with its next commit, and on XFS, which frees inodes in
  // the background.  One sync at a time: while one has not ended, the next call only waits for it.
  void Settle(const std::string& mountpoint) override;

 private:
  struct Sync;
  const Millis settle_at_most_;
  std::shared_ptr<Sync> sync_;  // the last one; shared with its thread, which may outlive this
};

// Checks figures as they came: capacity 0 is an error, more available than there is, is clamped, as
// the kubelet does (image_gc_manager.go).
Result<DiskUsage> CheckedUsage(DiskUsage usage);

}  // namespace imagesweep
