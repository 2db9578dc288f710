#include "agent/state/ledger_file.h"

#include <sqlite3.h>

#include <optional>
#include <utility>

#include "agent/state/state_dir.h"

namespace imagesweep {
namespace {

namespace fs = std::filesystem;

constexpr int kVersion = 1;
constexpr int kApplicationId = 0x494D5357;  // "IMSW"
constexpr std::uint64_t kMinBytes = 512;
constexpr std::uint64_t kMaxBytes = 64ULL * 1024 * 1024;  // 10 000 images take about 2 MiB
constexpr int kBusyMillis = 2000;

// CHECKs are tested on reading too: quick_check goes through them.
constexpr const char* kSchema =
    "CREATE TABLE look ("
    " one INTEGER PRIMARY KEY CHECK (one = 1),"
    " boot_id TEXT NOT NULL,"
    " steady_ns INTEGER NOT NULL CHECK (steady_ns >= 0),"
    " wall_ns INTEGER NOT NULL,"
    " observed_ns INTEGER NOT NULL CHECK (observed_ns >= 0)"
    ") STRICT;"
    "CREATE TABLE image ("
    " id TEXT PRIMARY KEY,"
    " first_seen_ns INTEGER NOT NULL,"
    " last_used_ns INTEGER,"
    " idle_from_ns INTEGER CHECK (idle_from_ns >= 0)"
    ") STRICT, WITHOUT ROWID;"
    "PRAGMA application_id = 1229804375;"
    "PRAGMA user_version = 1;";
static_assert(kApplicationId == 1229804375);

struct CloseDb {
  void operator()(sqlite3* db) const { sqlite3_close_v2(db); }
};
using Db = std::unique_ptr<sqlite3, CloseDb>;

struct Finalize {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};

bool MeansDamage(int code) {
  return (code & 0xFF) == SQLITE_CORRUPT || (code & 0xFF) == SQLITE_NOTADB;
}

// SQLite's result code, and whether it says that the file itself is bad.  Ends in this file.
struct SqlError {
  int code;
  std::string what;
  Error ToError() const {
    const int primary = code & 0xFF;
    const bool denied = primary == SQLITE_READONLY || primary == SQLITE_PERM;
    return {denied ? ErrorKind::kDenied : ErrorKind::kUnavailable, what};
  }
};

[[noreturn]] void Throw(sqlite3* db, int code) {
  throw SqlError{code, std::string(sqlite3_errstr(code)) + " (" +
                           (db == nullptr ? "" : sqlite3_errmsg(db)) + ")"};
}

void Run(sqlite3* db, const char* sql) {
  const int code = sqlite3_exec(db, sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) Throw(db, code);
}

class Statement {
 public:
  Statement(sqlite3* db, const char* sql) : db_(db) {
    sqlite3_stmt* raw = nullptr;
    const int code = sqlite3_prepare_v2(db, sql, -1, &raw, nullptr);
    statement_.reset(raw);
    if (code != SQLITE_OK) Throw(db, code);
  }
  Statement& Bind(int at, const std::string& text) {
    return Check(sqlite3_bind_text(raw(), at, text.data(), static_cast<int>(text.size()),
                                   SQLITE_STATIC));  // NOLINT: text outlives the step
  }
  Statement& Bind(int at, Nanos value) {
    return Check(sqlite3_bind_int64(raw(), at, value.count()));
  }
  Statement& Bind(int at, const std::optional<Nanos>& value) {
    return value ? Bind(at, *value) : Check(sqlite3_bind_null(raw(), at));
  }
  bool Step() {
    const int code = sqlite3_step(raw());
    if (code != SQLITE_ROW && code != SQLITE_DONE) Throw(db_, code);
    return code == SQLITE_ROW;
  }
  void Execute() {
    Step();
    Check(sqlite3_reset(raw()));
  }
  std::string Text(int column) {
    const auto* text = sqlite3_column_text(raw(), column);
    if (text == nullptr) return {};
    const int size = sqlite3_column_bytes(raw(), column);
    const auto* begin = static_cast<const char*>(static_cast<const void*>(text));
    return {begin, static_cast<std::size_t>(size)};
  }
  Nanos Time(int column) {
    const Nanos value(sqlite3_column_int64(raw(), column));
    if (value > kFarthest || value < -kFarthest) throw SqlError{SQLITE_CORRUPT, "a time is absurd"};
    return value;
  }
  std::optional<Nanos> TimeOrNothing(int column) {
    if (sqlite3_column_type(raw(), column) == SQLITE_NULL) return std::nullopt;
    return Time(column);
  }
  int Integer(int column) { return sqlite3_column_int(raw(), column); }

 private:
  sqlite3_stmt* raw() const { return statement_.get(); }
  Statement& Check(int code) {
    if (code != SQLITE_OK) Throw(db_, code);
    return *this;
  }
  sqlite3* db_;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

// Everything or nothing; IMMEDIATE, so that nobody else looks between our reading and writing.
class Transaction {
 public:
  explicit Transaction(sqlite3* db) : db_(db) { Run(db, "BEGIN IMMEDIATE"); }
  ~Transaction() {
    if (!done_) sqlite3_exec(db_, "ROLLBACK", nullptr, nullptr, nullptr);
  }
  void Commit() {
    Run(db_, "COMMIT");
    done_ = true;
  }
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

 private:
  sqlite3* db_;
  bool done_ = false;
};

int One(sqlite3* db, const char* sql) {
  Statement statement(db, sql);
  return statement.Step() ? statement.Integer(0) : 0;
}

Records ReadAll(sqlite3* db) {
  Records records;
  Statement look(db, "SELECT boot_id, steady_ns, wall_ns, observed_ns FROM look");
  if (look.Step())
    records.last_look = LookTime{look.Text(0), look.Time(1), look.Time(2), look.Time(3)};
  const Nanos observed = records.last_look ? records.last_look->observed : Nanos::zero();
  Statement image(db,
                  "SELECT id, first_seen_ns, last_used_ns, idle_from_ns FROM image ORDER BY id");
  while (image.Step()) {
    const ImageRecord record{image.Time(1), image.TimeOrNothing(2), image.TimeOrNothing(3)};
    if (record.idle_from && (*record.idle_from < Nanos::zero() || *record.idle_from > observed))
      throw SqlError{SQLITE_CORRUPT, "an image is idle since a time that has not come"};
    records.images.emplace_hint(records.images.end(), image.Text(0), record);
  }
  return records;
}

bool SameStored(const ImageRecord& a, const ImageRecord& b) {
  return a.first_seen == b.first_seen && a.last_used == b.last_used && a.idle_from == b.idle_from;
}

void WriteChanges(sqlite3* db, const Records& before, const Records& after) {
  Statement put(db, "INSERT OR REPLACE INTO image VALUES (?, ?, ?, ?)");
  for (const auto& [id, record] : after.images) {
    const auto known = before.images.find(id);
    if (known != before.images.end() && SameStored(known->second, record)) continue;
    put.Bind(1, id).Bind(2, record.first_seen).Bind(3, record.last_used).Bind(4, record.idle_from);
    put.Execute();
  }
  Statement drop(db, "DELETE FROM image WHERE id = ?");
  for (const auto& [id, record] : before.images)
    if (!after.images.contains(id)) drop.Bind(1, id).Execute();
  const LookTime& look = *after.last_look;
  Statement(db, "INSERT OR REPLACE INTO look VALUES (1, ?, ?, ?, ?)")
      .Bind(1, look.boot_id)
      .Bind(2, look.steady)
      .Bind(3, look.wall)
      .Bind(4, look.observed)
      .Execute();
}

Db Connect(const fs::path& path) {
  sqlite3* raw = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_NOMUTEX;
  const int code = sqlite3_open_v2(path.c_str(), &raw, flags, nullptr);
  Db db(raw);
  if (code != SQLITE_OK) Throw(raw, code);
  sqlite3_extended_result_codes(raw, 1);
  sqlite3_busy_timeout(raw, kBusyMillis);
  Run(raw,
      "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY;"
      "PRAGMA synchronous = FULL");
  if (sqlite3_db_readonly(raw, "main") == 1) throw SqlError{SQLITE_READONLY, "it is read-only"};
  return db;
}

// Empty when the file is a ledger, or has just become one; else why it is left alone.
std::string Adopt(sqlite3* db) {
  Transaction transaction(db);
  const int version = One(db, "PRAGMA user_version");
  const int application = One(db, "PRAGMA application_id");
  const int tables = One(db, "SELECT count(*) FROM sqlite_schema");
  if (application == 0 && version == 0 && tables == 0) {
    Run(db, kSchema);
  } else if (application != kApplicationId) {
    return "it is the database of another program; it is left alone";
  } else if (version > kVersion) {
    return "a newer imagesweep wrote it (version " + std::to_string(version) +
           "); it is left alone";
  } else {
    Statement check(db, "PRAGMA quick_check(1)");
    if (!check.Step() || check.Text(0) != "ok") throw SqlError{SQLITE_CORRUPT, check.Text(0)};
    ReadAll(db);
  }
  transaction.Commit();
  return {};
}

}  // namespace

struct LedgerFile::Impl {
  fs::path path;
  FileIdentity identity;
  Db db;
};

LedgerFile::LedgerFile(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
LedgerFile::~LedgerFile() = default;

Result<LedgerFile::Opened> LedgerFile::Open(const fs::path& directory) {
  std::string note;
  for (bool again = false;; again = true) {
    auto path = PrepareStateFile(directory);
    if (!path) return std::move(path).error();
    auto identity = Identify(*path);
    if (!identity) return std::move(identity).error();
    try {
      // SQLite takes a file smaller than any page for an empty one.
      if (identity->size > 0 && identity->size < kMinBytes)
        throw SqlError{SQLITE_CORRUPT, "it is cut short"};
      if (identity->size > kMaxBytes) throw SqlError{SQLITE_CORRUPT, "it is larger than 64 MiB"};
      Db db = Connect(*path);
      if (std::string why = Adopt(db.get()); !why.empty())
        return Error{ErrorKind::kInvalid, path->string() + ": " + why};
      auto impl = std::make_unique<Impl>(Impl{*path, *identity, std::move(db)});
      return Opened{std::unique_ptr<LedgerFile>(new LedgerFile(std::move(impl))), note};
    } catch (const SqlError& e) {
      if (again || !MeansDamage(e.code)) return e.ToError().Wrap(path->string());
      note = path->string() + " is damaged: " + e.what;
    }
    auto aside = SetAside(*path);
    if (!aside) return std::move(aside).error().Wrap(note);
    note += "; it is kept as " + aside->filename().string() + ", and a new one begins";
  }
}

Status LedgerFile::Update(const std::function<Records(const Records& stored)>& look) {
  // Another process may have set the file aside, or an administrator deleted it: writing on would
  // be writing into nothing, and our journal would be taken for the new file's.
  const auto identity = Identify(impl_->path);
  if (!identity) return identity.error();
  if (identity->device != impl_->identity.device || identity->inode != impl_->identity.inode)
    return Error{ErrorKind::kUnavailable, impl_->path.string() + " was replaced by another file"};
  sqlite3* const db = impl_->db.get();
  try {
    Transaction transaction(db);
    const Records before = ReadAll(db);
    WriteChanges(db, before, look(before));
    transaction.Commit();
    return Done{};
  } catch (const SqlError& e) {
    return e.ToError().Wrap(impl_->path.string());
  }
}

}  // namespace imagesweep
