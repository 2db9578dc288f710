#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "agent/base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace imagesweep {

// A thin wrapper of SQLite.  One thread at a time.  All functions throw SqlError, which StateFile
// catches.

struct SqlError {
  bool damage = false;  // the file is damaged
  ErrorKind kind = ErrorKind::kUnavailable;
  std::string what;
};

// Throws the error for invalid content of the file.
[[noreturn]] void ThrowDamage(std::string what);

// A connection to an existing file.  Does not follow a symbolic link.  Waits two seconds for the
// transaction of another process, then fails with kDeadline.  Committed data survives a power
// failure.
class Database {
 public:
  explicit Database(const std::filesystem::path& path);

  void Run(const std::string& sql);
  // The first column of the first row.  0 if there is no row.
  std::int64_t Number(const char* sql) const;
  sqlite3* raw() const { return db_.get(); }

 private:
  struct Close {
    void operator()(sqlite3* db) const;
  };
  std::unique_ptr<sqlite3, Close> db_;
};

// Parameters count from 1 and must outlive the step.  Columns count from 0.
class Statement {
 public:
  Statement(const Database& db, const char* sql);

  Statement& Bind(int at, std::string_view text);
  Statement& BindBlob(int at, std::string_view bytes);
  Statement& Bind(int at, std::int64_t value);
  Statement& Bind(int at, const std::optional<std::int64_t>& value);

  bool Step();     // moves to the next row; false if there is none
  void Execute();  // makes one step and resets for the next parameters

  std::string Text(int column) const;  // also for the bytes of a blob
  std::int64_t Integer(int column) const;
  bool IsNull(int column) const;

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  Statement& Check(int code);
  sqlite3* db_;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

// A transaction.  kWrite: no other process writes between a read and a write.
class Transaction {
 public:
  enum class Kind { kRead, kWrite };
  Transaction(Database& db, Kind kind);
  ~Transaction();
  void Commit();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

 private:
  Database& db_;
  bool done_ = false;
};

}  // namespace imagesweep
