#pragma once

#include <sqlite3.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

#include "agent/state/age_store.h"
#include "tests/support/images.h"

namespace imagesweep {

// A temporary directory that is deleted with the test.
class TempDir {
 public:
  TempDir() {
    std::string name = (std::filesystem::temp_directory_path() / "ledger-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
    path_ = name;
  }
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path file() const { return path_ / "ledger.db"; }

 private:
  std::filesystem::path path_;
};

inline std::string ReadBytes(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline void WriteBytes(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

// Runs SQL on a database as an administrator would.
inline void Sql(const std::filesystem::path& path, const std::string& sql) {
  sqlite3* db = nullptr;
  if (sqlite3_open(path.c_str(), &db) != SQLITE_OK ||
      sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
    throw std::runtime_error(sqlite3_errmsg(db));
  sqlite3_close(db);
}

// The result of a query: a line for each row, with columns separated by "|".
inline std::string Rows(const std::filesystem::path& path, const std::string& sql) {
  sqlite3* db = nullptr;
  std::string text;
  const auto add = [](void* into, int columns, char** values, char**) {
    auto& lines = *static_cast<std::string*>(into);
    for (int i = 0; i < columns; ++i) lines.append(values[i] ? values[i] : "NULL").append("|");
    lines += '\n';
    return 0;
  };
  if (sqlite3_open(path.c_str(), &db) != SQLITE_OK ||
      sqlite3_exec(db, sql.c_str(), add, &text, nullptr) != SQLITE_OK)
    throw std::runtime_error(sqlite3_errmsg(db));
  sqlite3_close(db);
  return text;
}

inline std::vector<Image> Images(std::initializer_list<std::string_view> words) {
  std::vector<Image> images;
  for (const auto word : words) images.push_back(Img(word, {std::string(word) + ":1"}));
  return images;
}

// A age store that counts all time, watched or not.
inline std::unique_ptr<AgeStore> OpenCounting(const std::filesystem::path& directory,
                                              const Clock& clock, std::string boot_id) {
  return AgeStore::Open(directory, clock,
                        AgeStore::Options{.boot_id = std::move(boot_id), .count_unwatched = true});
}

// An observation of images that are not in use.
inline std::vector<ImageAge> LookIdle(AgeStore& age_store, const std::vector<Image>& images) {
  return age_store.Observe(images, std::vector<bool>(images.size(), false));
}

}  // namespace imagesweep
