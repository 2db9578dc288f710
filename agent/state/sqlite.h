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

// SQLite in four words of ours.  One thread at a time.  Everything here throws SqlError, which ends
// in StateFile.

struct SqlError {
  bool damage = false;  // the file itself is bad
  ErrorKind kind = ErrorKind::kUnavailable;
  std::string what;
};

// The content of a file cannot be true.
[[noreturn]] void ThrowDamage(std::string what);

// A connection to a file that exists; a symbolic link is not followed.  Waits two seconds for
// another process's transaction; kDeadline when that was not enough.  What is committed survives a
// power cut.
class Database {
 public:
  explicit Database(const std::filesystem::path& path);

  void Run(const std::string& sql);
  // The first column of the first row; 0 when there is none.
  std::int64_t Number(const char* sql) const;
  sqlite3* raw() const { return db_.get(); }

 private:
  struct Close {
    void operator()(sqlite3* db) const;
  };
  std::unique_ptr<sqlite3, Close> db_;
};

// Parameters count from 1 and must outlive the step, columns count from 0.
class Statement {
 public:
  Statement(const Database& db, const char* sql);

  Statement& Bind(int at, std::string_view text);
  Statement& BindBlob(int at, std::string_view bytes);
  Statement& Bind(int at, std::int64_t value);
  Statement& Bind(int at, const std::optional<std::int64_t>& value);

  bool Step();     // to the next row; false when there is none
  void Execute();  // one step, ready for the next parameters

  std::string Text(int column) const;  // or a blob's bytes
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

// Everything or nothing.  kWrite: nobody else writes between our reading and writing.
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
