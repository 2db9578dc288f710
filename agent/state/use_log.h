#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/base/clock.h"
#include "agent/base/result.h"
#include "agent/state/age_store_file.h"
#include "agent/state/watch_lock.h"

namespace imagesweep {

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
