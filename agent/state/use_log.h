#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/base/clock.h"
#include "agent/base/result.h"
#include "agent/state/ledger_file.h"
#include "agent/state/watch_lock.h"

namespace imagesweep {

// What an agent that watches the uses of images writes beside its observations, so that commands
// see what it saw: the uses, since when it watches without a gap, and whether all of it is written.
//
// One thread at a time, Write() and Tell() each on one of its own if need be.  A file that cannot
// be used is an error of each call, and every call tries it again.
class UseLog {
 public:
  // An empty directory name: everything is done, and nothing kept.
  UseLog(std::filesystem::path directory, std::string boot_id);

  // References (names, digests, ids), and since when all uses are watched, in one transaction.
  Status Write(const std::vector<std::string>& uses, const std::optional<SteadyTime>& since);
  // What others are told by the lock.
  Status Tell(WatchState state) { return lock_.Set(state); }

 private:
  const std::filesystem::path directory_;
  const std::string boot_id_;
  std::unique_ptr<LedgerFile> file_;
  WatchLock lock_;
};

}  // namespace imagesweep
