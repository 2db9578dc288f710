#include "agent/state/state_file.h"

#include <cstdint>
#include <utility>

namespace imagesweep {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMinBytes = 512;
constexpr std::uint64_t kMaxBytes = 64ULL * 1024 * 1024;

Error ToError(SqlError error) {
  return {error.kind, std::move(error.what)};
}

void Mark(Database& db, const StateFormat& format) {
  db.Run("PRAGMA application_id = " + std::to_string(format.application_id) +
         "; PRAGMA user_version = " + std::to_string(format.version));
}

void CheckIntegrity(const Database& db) {
  Statement check(db, "PRAGMA quick_check(1)");
  if (!check.Step()) ThrowDamage("the integrity check failed");
  if (const auto found = check.Text(0); found != "ok") ThrowDamage(found);
}

// Creates or upgrades the tables.  Empty: the file has this format.  Else why it is not used.
std::string Adopt(Database& db, const StateFormat& format) {
  Transaction transaction(db, Transaction::Kind::kWrite);
  const auto version = db.Number("PRAGMA user_version");
  const auto application = db.Number("PRAGMA application_id");
  const auto tables = db.Number("SELECT count(*) FROM sqlite_schema");
  if (application == 0 && version == 0 && tables == 0) {
    db.Run(format.schema);
    Mark(db, format);
  } else if (application != format.application_id) {
    return "the file is a database of another program and is not changed";
  } else if (version > format.version) {
    return "a newer version of imagesweep wrote the file (format " + std::to_string(version) +
           "); it is not changed";
  } else {
    if (version < 1) ThrowDamage("the version is missing");
    CheckIntegrity(db);
    const auto missing = format.upgrades.subspan(static_cast<std::size_t>(version - 1));
    for (const char* const upgrade : missing) db.Run(upgrade);
    if (!missing.empty()) Mark(db, format);
    format.check(db);
  }
  transaction.Commit();
  return {};
}

}  // namespace

StateFile::StateFile(fs::path path, const FileIdentity& identity, Database db)
    : path_(std::move(path)), identity_(identity), db_(std::move(db)) {}

Result<StateFile::Opened> StateFile::Open(const fs::path& directory, const StateFormat& format) {
  std::string note;
  for (bool again = false;; again = true) {
    auto path = PrepareStateFile(directory, format.name);
    if (!path) return std::move(path).error();
    auto identity = Identify(*path);
    if (!identity) return std::move(identity).error();
    try {
      // SQLite treats a file that is smaller than a page as empty.
      if (identity->size > 0 && identity->size < kMinBytes) ThrowDamage("the file is truncated");
      if (identity->size > kMaxBytes) ThrowDamage("the file is larger than 64 MiB");
      Database db(*path);
      if (std::string why = Adopt(db, format); !why.empty())
        return Error{ErrorKind::kInvalid, path->string() + ": " + why};
      return Opened{std::unique_ptr<StateFile>(new StateFile(*path, *identity, std::move(db))),
                    note};
    } catch (const SqlError& e) {
      if (again || !e.damage) return ToError(e).Wrap(path->string());
      note = path->string() + " is damaged: " + e.what;
    }
    auto aside = SetAside(*path);
    if (!aside) return std::move(aside).error().Wrap(note);
    note += "; renamed it to " + aside->filename().string() + " and created a new file";
  }
}

Status StateFile::Run(Transaction::Kind kind, const std::function<void(Database& db)>& work) {
  // Another process may have renamed the file, or an administrator may have deleted it.  Further
  // writes would be lost, and SQLite would apply the journal to the new file.
  const auto identity = Identify(path_);
  if (!identity) return identity.error();
  if (identity->device != identity_.device || identity->inode != identity_.inode)
    return Error{ErrorKind::kUnavailable, path_.string() + " was replaced by another file"};
  try {
    Transaction transaction(db_, kind);
    work(db_);
    transaction.Commit();
    return Done{};
  } catch (const SqlError& e) {
    return ToError(e).Wrap(path_.string());
  }
}

Status StateFile::Write(const std::function<void(Database& db)>& change) {
  return Run(Transaction::Kind::kWrite, change);
}

Status StateFile::Read(const std::function<void(const Database& db)>& look) {
  return Run(Transaction::Kind::kRead, look);
}

}  // namespace imagesweep
