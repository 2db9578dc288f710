#pragma once

#include <algorithm>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "agent/base/result.h"
#include "agent/state/sqlite.h"
#include "agent/state/state_dir.h"

namespace imagesweep {

// The format of a state file.  A constant of the program.
struct StateFormat {
  const char* name;    // in the state directory
  int application_id;  // PRAGMA application_id
  int version;         // PRAGMA user_version
  // Creates the tables of `version` in an empty file.  Open also tests its CHECKs.
  const char* schema;
  // upgrades[0] upgrades version 1 to version 2, and so on, without loss of data.
  std::span<const char* const> upgrades;
  // Throws if the content of the file is invalid.
  void (*check)(const Database& db);
};

// One file of the state directory: an SQLite database with a rollback journal, so that each change
// is atomic, even if a process is killed.  One thread at a time.  Processes may share the file.
class StateFile {
 public:
  struct Opened {
    std::unique_ptr<StateFile> file;
    std::string note;  // a damaged file was set aside; empty: none
  };
  // Opens or creates the file, and upgrades an older version.  Renames a damaged file and creates a
  // new one.  A file of a newer version or of another program is an error, and is not changed.
  static Result<Opened> Open(const std::filesystem::path& directory, const StateFormat& format);

  // Runs `change` in one transaction, while no other process can write.  Does not call it if the
  // transaction cannot begin.  A failed change leaves the file unchanged.
  Status Write(const std::function<void(Database& db)>& change);
  // Runs `look` in one transaction, so that it reads a consistent state.
  Status Read(const std::function<void(const Database& db)>& look);

 private:
  StateFile(std::filesystem::path path, const FileIdentity& identity, Database db);
  Status Run(Transaction::Kind kind, const std::function<void(Database& db)>& work);
  const std::filesystem::path path_;
  const FileIdentity identity_;
  Database db_;
};

// The problems with the state directory: one line each, oldest first, without duplicates.
class Warnings {
 public:
  void Add(std::string text) {
    text = "state: " + text;
    std::ranges::replace(text, '\n', ' ');
    if (lines_.size() < kMost && std::ranges::find(lines_, text) == lines_.end())
      lines_.push_back(std::move(text));
  }
  const std::vector<std::string>& lines() const { return lines_; }

 private:
  static constexpr std::size_t kMost = 32;
  std::vector<std::string> lines_;
};

}  // namespace imagesweep
