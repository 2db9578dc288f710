#pragma once

#include <filesystem>

#include "agent/base/result.h"

namespace imagesweep {

// How an agent that watches the uses of images tells the commands beside it so, without writing:
// by locks on DIRECTORY/watch.lock, which end with its process, whatever ends it.
enum class WatchState {
  kNone,     // no agent watches
  kBehind,   // one does, and has seen uses that are not in the file yet
  kWritten,  // one does, and all uses that it has seen are in the file
};

// As another process sees it; kNone also when the file cannot be read.
WatchState ReadWatchState(const std::filesystem::path& directory);

// The agent's side.  One thread at a time.
class WatchLock {
 public:
  // An empty directory: nobody is told anything.
  explicit WatchLock(std::filesystem::path directory);
  ~WatchLock();
  WatchLock(const WatchLock&) = delete;
  WatchLock& operator=(const WatchLock&) = delete;

  // An error when the file cannot be locked, such as while another agent holds it; then others see
  // no watch of ours.  kNone never fails.
  Status Set(WatchState state);

 private:
  Status Open();
  const std::filesystem::path directory_;
  int fd_ = -1;
  WatchState state_ = WatchState::kNone;
};

}  // namespace imagesweep
