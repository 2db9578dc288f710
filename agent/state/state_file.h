#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "agent/base/result.h"
#include "agent/state/sqlite.h"
#include "agent/state/state_dir.h"

namespace imagesweep {

// What makes a file one of ours, and which.  A constant of the program.
struct StateFormat {
  const char* name;    // in the state directory
  int application_id;  // PRAGMA application_id
  int version;         // PRAGMA user_version
  // Makes the tables of `version` in an empty file.  CHECKs in it are tested on opening too.
  const char* schema;
  // upgrades[0] makes version 2 out of version 1, and so on; they lose nothing.
  std::span<const char* const> upgrades;
  // Throws when what is in the file cannot be true.
  void (*check)(const Database& db);
};

// One file of the state directory: an SQLite database with a rollback journal, so that a change is
// in it as a whole or not at all, whatever is killed when.  One thread at a time; processes may
// share it.
class StateFile {
 public:
  struct Opened {
    std::unique_ptr<StateFile> file;
    std::string note;  // a damaged file was set aside; empty: none
  };
  // Opens or makes it, and brings an older version up to date.  A damaged one is set aside and a
  // new one made; one of a newer version, or of another program, is left alone, and that is an
  // error.
  static Result<Opened> Open(const std::filesystem::path& directory, const StateFormat& format);

  // One transaction, while no other process can write.  `change` is not called when it cannot
  // begin; a change that fails leaves nothing in the file.
  Status Write(const std::function<void(Database& db)>& change);
  // Everything that `look` reads is of one moment.
  Status Read(const std::function<void(const Database& db)>& look);

 private:
  StateFile(std::filesystem::path path, const FileIdentity& identity, Database db);
  Status Run(Transaction::Kind kind, const std::function<void(Database& db)>& work);
  const std::filesystem::path path_;
  const FileIdentity identity_;
  Database db_;
};

}  // namespace imagesweep
