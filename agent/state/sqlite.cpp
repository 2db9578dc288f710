#include "agent/state/sqlite.h"

#include <sqlite3.h>

#include <utility>

namespace imagesweep {
namespace {

constexpr int kBusyMillis = 2000;

SqlError Describe(sqlite3* db, int code) {
  SqlError error;
  const int primary = code & 0xFF;
  error.damage = primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB;
  if (primary == SQLITE_READONLY || primary == SQLITE_PERM) error.kind = ErrorKind::kDenied;
  if (primary == SQLITE_BUSY) error.kind = ErrorKind::kDeadline;
  error.what =
      std::string(sqlite3_errstr(code)) + " (" + (db == nullptr ? "" : sqlite3_errmsg(db)) + ")";
  return error;
}

void Require(sqlite3* db, int code) {
  if (code != SQLITE_OK) throw Describe(db, code);
}

}  // namespace

void ThrowDamage(std::string what) {
  throw SqlError{true, ErrorKind::kUnavailable, std::move(what)};
}

void Database::Close::operator()(sqlite3* db) const {
  sqlite3_close_v2(db);
}

Database::Database(const std::filesystem::path& path) {
  sqlite3* raw = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_NOMUTEX;
  const int code = sqlite3_open_v2(path.c_str(), &raw, flags, nullptr);
  db_.reset(raw);
  Require(raw, code);
  sqlite3_extended_result_codes(raw, 1);
  sqlite3_busy_timeout(raw, kBusyMillis);
  // EXTRA also syncs the directory after a commit deletes its journal.
  // Source: sqlite.org/pragma.html#pragma_synchronous
  Run("PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY;"
      "PRAGMA synchronous = EXTRA");
  if (sqlite3_db_readonly(raw, "main") == 1)
    throw SqlError{false, ErrorKind::kDenied, "the file is read-only"};
}

void Database::Run(const std::string& sql) {
  Require(raw(), sqlite3_exec(raw(), sql.c_str(), nullptr, nullptr, nullptr));
}

std::int64_t Database::Number(const char* sql) const {
  Statement statement(*this, sql);
  return statement.Step() ? statement.Integer(0) : 0;
}

void Statement::Finalize::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}

Statement::Statement(const Database& db, const char* sql) : db_(db.raw()) {
  sqlite3_stmt* raw = nullptr;
  const int code = sqlite3_prepare_v2(db_, sql, -1, &raw, nullptr);
  statement_.reset(raw);
  Check(code);
}

Statement& Statement::Check(int code) {
  Require(db_, code);
  return *this;
}

// A null pointer binds NULL instead of an empty text.
Statement& Statement::Bind(int at, std::string_view text) {
  const char* const data = text.data() == nullptr ? "" : text.data();
  return Check(
      sqlite3_bind_text64(statement_.get(), at, data, text.size(), SQLITE_STATIC, SQLITE_UTF8));
}

Statement& Statement::BindBlob(int at, std::string_view bytes) {
  const char* const data = bytes.data() == nullptr ? "" : bytes.data();
  return Check(sqlite3_bind_blob64(statement_.get(), at, data, bytes.size(), SQLITE_STATIC));
}

Statement& Statement::Bind(int at, std::int64_t value) {
  return Check(sqlite3_bind_int64(statement_.get(), at, value));
}

Statement& Statement::Bind(int at, const std::optional<std::int64_t>& value) {
  return value ? Bind(at, *value) : Check(sqlite3_bind_null(statement_.get(), at));
}

bool Statement::Step() {
  const int code = sqlite3_step(statement_.get());
  if (code != SQLITE_ROW && code != SQLITE_DONE) throw Describe(db_, code);
  return code == SQLITE_ROW;
}

void Statement::Execute() {
  Step();
  Check(sqlite3_reset(statement_.get()));
}

std::string Statement::Text(int column) const {
  const void* const data = sqlite3_column_blob(statement_.get(), column);
  if (data == nullptr) return {};
  const int size = sqlite3_column_bytes(statement_.get(), column);
  return {static_cast<const char*>(data), static_cast<std::size_t>(size)};
}

std::int64_t Statement::Integer(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

bool Statement::IsNull(int column) const {
  return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL;
}

Transaction::Transaction(Database& db, Kind kind) : db_(db) {
  db.Run(kind == Kind::kWrite ? "BEGIN IMMEDIATE" : "BEGIN");
}

Transaction::~Transaction() {
  if (!done_) sqlite3_exec(db_.raw(), "ROLLBACK", nullptr, nullptr, nullptr);
}

void Transaction::Commit() {
  db_.Run("COMMIT");
  done_ = true;
}

}  // namespace imagesweep
