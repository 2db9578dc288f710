#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "agent/base/result.h"
#include "agent/state/records.h"

namespace imagesweep {

// The ledger on disk: one SQLite database with a rollback journal, so that a look is in it as a
// whole or not at all, whatever is killed when.
class LedgerFile {
 public:
  struct Opened {
    std::unique_ptr<LedgerFile> file;
    std::string note;  // a damaged file was set aside; empty: none
  };
  // Opens or makes DIRECTORY/ledger.db.  A damaged one is set aside and a new one made; one of a
  // newer version, or of another program, is left alone, and that is an error.
  static Result<Opened> Open(const std::filesystem::path& directory);

  // One look as one transaction: what is stored goes in, what shall be stored comes out.  The
  // callback runs while no other process can look; not at all when the transaction cannot begin.
  Status Update(const std::function<Records(const Records& stored)>& look);

  ~LedgerFile();
  LedgerFile(const LedgerFile&) = delete;
  LedgerFile& operator=(const LedgerFile&) = delete;

 private:
  struct Impl;
  explicit LedgerFile(std::unique_ptr<Impl> impl);
  const std::unique_ptr<Impl> impl_;
};

}  // namespace imagesweep
