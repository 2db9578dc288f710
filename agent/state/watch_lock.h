#pragma once

#include <filesystem>

#include "agent/base/result.h"

namespace imagesweep {

// The state of an agent that watches the uses of images, for commands on the same node.  Published
// through locks on DIRECTORY/watch.lock, which end with the process of the agent.
enum class WatchState {
  kNone,     // no agent watches
  kBehind,   // an agent watches, and has seen uses that are not yet in the file
  kWritten,  // an agent watches, and all uses that it has seen are in the file
};

// Reads the state from another process.  kNone also if the file cannot be read.
WatchState ReadWatchState(const std::filesystem::path& directory);

// The agent's side.  One thread at a time.
class WatchLock {
 public:
  // An empty directory: publishes nothing.
  explicit WatchLock(std::filesystem::path directory);
  ~WatchLock();
  WatchLock(const WatchLock&) = delete;
  WatchLock& operator=(const WatchLock&) = delete;

  // Fails if the file cannot be locked, for example while another agent holds it.  Other processes
  // then see no watch of this agent.  kNone never fails.
  Status Set(WatchState state);

 private:
  Status Open();
  const std::filesystem::path directory_;
  int fd_ = -1;
  WatchState state_ = WatchState::kNone;
};

}  // namespace imagesweep
