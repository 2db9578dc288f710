#pragma once

#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "agent/base/clock.h"
#include "agent/model/ports.h"

namespace imagesweep {

// statvfs(3).  Paths are those of the runtime; a pod must mount them at the same place.
class StatvfsFilesystem final : public Filesystem {
 public:
  // `sync_at_most`: maximum time that Sync waits for syncfs(2).
  explicit StatvfsFilesystem(Millis sync_at_most);
  StatvfsFilesystem() : StatvfsFilesystem(std::chrono::seconds(10)) {}

  // kNotFound: the path does not exist.
  Result<DiskUsage> Stat(const std::string& mountpoint) override;
  // Calls syncfs(2) on btrfs, which frees space with its next commit, and on XFS, which frees
  // inodes in the background.  One sync at a time: a call during a sync only waits for that sync.
  void Sync(const std::string& mountpoint) override;

 private:
  struct PendingSync;
  const Millis sync_at_most_;
  std::shared_ptr<PendingSync> sync_;  // the newest; shared with its thread, which may outlive this
};

// Checks the figures as the kubelet does (image_gc_manager.go): capacity 0 is an error, and
// available space above the capacity is clamped.
Result<DiskUsage> CheckedUsage(DiskUsage usage);

// The file systems that hold images, each once, and the errors of those that cannot be read.
struct ImageDisks {
  std::vector<DiskUsage> disks;
  std::vector<std::string> problems;
};

// All image filesystems of the runtime, and the file system of containerd's content store.
// ImageFsInfo does not report the latter, which may differ from that of the snapshotter.
ImageDisks ReadImageDisks(RuntimeReader& runtime, Filesystem& filesystem,
                          const std::stop_token& stop);

}  // namespace imagesweep
