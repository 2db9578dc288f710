#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "agent/base/result.h"

namespace imagesweep {

// The path of the archive of an image in `directory`. There is one archive for each image ID.
std::filesystem::path ArchiveFile(const std::filesystem::path& directory,
                                  const std::string& image_id);

// A file that gets its name only when it is complete.
class NewFile {
 public:
  NewFile(int descriptor, std::filesystem::path temporary, std::filesystem::path path);
  ~NewFile();  // deletes the file unless Keep() succeeded
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;

  Status Write(std::string_view bytes);
  // Where it is until Keep().
  const std::filesystem::path& temporary() const { return temporary_; }
  // Writes the file to disk and gives it its name.
  Status Keep();

 private:
  Error Failed(const char* doing) const;

  int descriptor_;
  const std::filesystem::path temporary_, path_;
};

// The directory of archives, for one process at a time. Only files with names from ArchiveFile()
// count and are deleted.
class ArchiveDirectory {
 public:
  // Creates the directory (0700) if it is missing, and deletes unfinished files of a process that
  // died. kUnavailable: another process uses the directory.
  static Result<std::unique_ptr<ArchiveDirectory>> Lock(const std::filesystem::path& directory);
  ~ArchiveDirectory();
  ArchiveDirectory(const ArchiveDirectory&) = delete;
  ArchiveDirectory& operator=(const ArchiveDirectory&) = delete;

  // Deletes the oldest archives until `size` more bytes fit below `max_size`. The file at `path`
  // will be replaced: it stays and does not count. The files in `kept` stay and count. kInvalid,
  // without any deletion, if they leave too little space.
  Status FreeUp(std::uint64_t size, std::uint64_t max_size, const std::filesystem::path& path,
                const std::map<std::filesystem::path, std::uint64_t>& kept);
  Result<std::unique_ptr<NewFile>> Begin(const std::filesystem::path& path);

 private:
  ArchiveDirectory(std::filesystem::path directory, int lock)
      : directory_(std::move(directory)), lock_(lock) {}
  void ClearLeftovers();

  const std::filesystem::path directory_;
  const int lock_;
};

// "sha256:" and 64 hexadecimal digits in lower case. An archive has no other digests.
bool IsSha256(std::string_view digest);

// Computes the digest of the bytes added so far.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void Add(std::string_view bytes);
  // "sha256:…". Add nothing after this call.
  std::string Digest();

 private:
  struct State;
  const std::unique_ptr<State> state_;
};

std::string DigestOf(std::string_view bytes);

}  // namespace imagesweep
