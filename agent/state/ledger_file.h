#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/base/result.h"
#include "agent/state/records.h"
#include "agent/state/state_file.h"

namespace imagesweep {

// The ledger on disk, DIRECTORY/ledger.db: its tables, and records in and out of them.
class LedgerFile {
 public:
  struct Opened {
    std::unique_ptr<LedgerFile> file;
    std::string note;  // a damaged file was set aside; empty: none
  };
  static Result<Opened> Open(const std::filesystem::path& directory);

  // One change as one transaction: what is stored goes in, what shall be stored comes out.  The
  // callback runs while no other process can look; not at all when the transaction cannot begin.
  Status Update(const std::function<Records(const Records& stored)>& change);

  // Adds `uses` to those that the next observation takes, and sets the mark; both or neither.
  Status AddUses(const std::vector<std::string>& uses, const std::optional<WatchMark>& watch);

 private:
  explicit LedgerFile(std::unique_ptr<StateFile> file);
  const std::unique_ptr<StateFile> file_;
};

}  // namespace imagesweep
