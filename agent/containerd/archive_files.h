#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string_view>

#include "agent/base/result.h"

namespace imagesweep::containerd {

// A file that appears under its name when it is whole, or not at all.
class NewFile {
 public:
  NewFile(int descriptor, std::filesystem::path temporary, std::filesystem::path path);
  ~NewFile();  // without Keep: it goes
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;

  Status Write(std::string_view bytes);
  // On disk, and under its name.
  Status Keep();

 private:
  Error Failed(const char* doing) const;

  int descriptor_;
  const std::filesystem::path temporary_, path_;
};

// The directory of archives, for one process at a time.  Only files that ArchiveFile() named are
// ever counted or removed in it.
class ArchiveDirectory {
 public:
  // Makes it (0700) when it is missing, and clears away what a process that died was writing.
  // kUnavailable: another process has it.
  static Result<std::unique_ptr<ArchiveDirectory>> Lock(const std::filesystem::path& directory);
  ~ArchiveDirectory();
  ArchiveDirectory(const ArchiveDirectory&) = delete;
  ArchiveDirectory& operator=(const ArchiveDirectory&) = delete;

  // Removes the oldest archives until `size` more bytes fit below `max_size`.  What is at `path`
  // now will be replaced: it stays, and does not count.  Those in `kept` stay and count; kInvalid,
  // and nothing is removed, when they leave too little.
  Status MakeRoom(std::uint64_t size, std::uint64_t max_size, const std::filesystem::path& path,
                  const std::map<std::filesystem::path, std::uint64_t>& kept);
  Result<std::unique_ptr<NewFile>> Begin(const std::filesystem::path& path);

 private:
  ArchiveDirectory(std::filesystem::path directory, int lock)
      : directory_(std::move(directory)), lock_(lock) {}
  void ClearLeftovers();

  const std::filesystem::path directory_;
  const int lock_;
};

}  // namespace imagesweep::containerd
