#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/base/clock.h"
#include "agent/base/result.h"
#include "agent/state/age_store_file.h"

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

// Publishes what an agent sees between its observations, for commands: the uses of images, the time
// since which it watches without a gap, and whether all of it is written.
//
// One thread at a time for Write(), and one for Tell().  If the file cannot be used, each call
// returns an error, and the next call tries again.
class UseLog {
 public:
  // An empty directory name: calls succeed, and nothing is stored.
  UseLog(std::filesystem::path directory, std::string boot_id);

  // Writes references (names, digests, IDs), and the time since which all uses are watched, in one
  // transaction.
  Status Write(const std::vector<std::string>& uses, const std::optional<SteadyTime>& since);
  // Publishes the state through the lock.
  Status Tell(WatchState state) { return lock_.Set(state); }

 private:
  const std::filesystem::path directory_;
  const std::string boot_id_;
  std::unique_ptr<AgeStoreFile> file_;
  WatchLock lock_;
};

}  // namespace imagesweep
