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

// The file of the age store, DIRECTORY/ledger.db: reads and writes its tables.
class AgeStoreFile {
 public:
  struct Opened {
    std::unique_ptr<AgeStoreFile> file;
    std::string note;  // a damaged file was set aside; empty: none
  };
  static Result<Opened> Open(const std::filesystem::path& directory);

  // Changes the stored records in one transaction.  `change` runs while no other process can read
  // or write.  It does not run if the transaction cannot begin.
  Status Update(const std::function<Records(const Records& stored)>& change);

  // Adds `uses` to those that the next observation reads, and sets the mark, in one transaction.
  Status AddUses(const std::vector<std::string>& uses, const std::optional<WatchMark>& watch);

 private:
  explicit AgeStoreFile(std::unique_ptr<StateFile> file);
  const std::unique_ptr<StateFile> file_;
};

}  // namespace imagesweep
