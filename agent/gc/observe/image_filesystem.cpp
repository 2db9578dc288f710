#include "agent/gc/observe/image_filesystem.h"

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <mutex>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "agent/gc/observe/layers_disk.h"

namespace imagesweep {

namespace {

ErrorKind KindOf(int code) {
  if (code == ENOENT) return ErrorKind::kNotFound;
  return code == EACCES ? ErrorKind::kDenied : ErrorKind::kUnavailable;
}

bool FreesLate(const std::string& directory) {
  const layers::FileSystem kind = LayersDisk(directory).kind;
  return kind == layers::FileSystem::kBtrfs || kind == layers::FileSystem::kXfs;
}

}  // namespace

struct StatvfsFilesystem::PendingSync {
  std::mutex mu;
  std::condition_variable ended;
  bool done = false;

  bool WaitUntilDone(Millis at_most) {
    std::unique_lock guard(mu);
    return ended.wait_for(guard, at_most, [this] { return done; });
  }
};

StatvfsFilesystem::StatvfsFilesystem(Millis sync_at_most) : sync_at_most_(sync_at_most) {}

// On its own thread: syncfs cannot be interrupted, and a disk that hangs must not block the agent.
// The next Stat shows a failure, so the result is not needed.
void StatvfsFilesystem::Sync(const std::string& mountpoint) {
  if (!FreesLate(mountpoint)) return;
  if (sync_ && !sync_->WaitUntilDone(sync_at_most_)) return;
  const int directory = open(mountpoint.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return;
  sync_ = std::make_shared<PendingSync>();
  try {
    std::thread([directory, sync = sync_] {
      syncfs(directory);
      close(directory);
      const std::scoped_lock guard(sync->mu);
      sync->done = true;
      sync->ended.notify_all();
    }).detach();
  } catch (const std::system_error&) {  // no thread available: freed space becomes visible later
    close(directory);
    sync_.reset();
    return;
  }
  sync_->WaitUntilDone(sync_at_most_);
}

Result<DiskUsage> CheckedUsage(DiskUsage usage) {
  if (usage.capacity_bytes == 0)
    return Error{ErrorKind::kInvalid, usage.mountpoint + ": the file system reports a size of 0"};
  usage.available_bytes = std::min(usage.available_bytes, usage.capacity_bytes);
  usage.inodes_free = std::min(usage.inodes_free, usage.inodes);
  return usage;
}

Result<DiskUsage> StatvfsFilesystem::Stat(const std::string& mountpoint) {
  struct statvfs figures {};
  if (statvfs(mountpoint.c_str(), &figures) != 0) {
    const int code = errno;
    return Error{KindOf(code),
                 "statvfs " + mountpoint + ": " + std::generic_category().message(code)};
  }
  return CheckedUsage({mountpoint, figures.f_blocks * figures.f_frsize,
                       figures.f_bavail * figures.f_frsize, figures.f_files, figures.f_favail});
}

namespace {

// The directory of containerd's content store if `path` is that of a snapshotter; otherwise empty.
// Source: containerd cmd/containerd/server (root/<plugin URI>).
std::string ContentStoreBeside(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return {};
  if (!std::string_view(path).substr(slash + 1).starts_with("io.containerd.snapshotter.v1."))
    return {};
  return path.substr(0, slash + 1) + "io.containerd.content.v1.content";
}

}  // namespace

ImageDisks ReadImageDisks(RuntimeReader& runtime, Filesystem& filesystem,
                          const std::stop_token& stop) {
  ImageDisks found;
  const auto mountpoints = runtime.ImageFilesystems(stop);
  if (!mountpoints) {
    found.problems.push_back(mountpoints.error().what);
    return found;
  }
  if (mountpoints->empty()) found.problems.emplace_back("the runtime reports no image filesystem");
  const auto add = [&](const std::string& path, bool may_be_missing) {
    if (std::ranges::find(found.disks, path, &DiskUsage::mountpoint) != found.disks.end()) return;
    auto usage = filesystem.Stat(path);
    if (usage)
      found.disks.push_back(*std::move(usage));
    else if (!may_be_missing || usage.error().kind != ErrorKind::kNotFound)
      found.problems.push_back(usage.error().what);
  };
  for (const std::string& path : *mountpoints) add(path, false);
  for (const std::string& path : *mountpoints)
    if (const std::string content = ContentStoreBeside(path); !content.empty()) add(content, true);
  return found;
}

}  // namespace imagesweep
