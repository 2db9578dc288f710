#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "agent/base/result.h"

namespace imagesweep {

// A file of the state directory, as the file system sees it.

struct FileIdentity {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t size = 0;
};

// Makes the directory (0700) and an empty file (0600) where they are missing.  Returns the file's
// path with the directory's links resolved.  Fails when the file is anything but a regular file, a
// symbolic link above all: it is never followed.
Result<std::filesystem::path> PrepareStateFile(const std::filesystem::path& directory,
                                               const std::string& name);

// Of the path itself, not of what it links to; kNotFound when there is nothing.
Result<FileIdentity> Identify(const std::filesystem::path& path);

// Moves a damaged file, and its journal, out of the way: to "….bad", and when there is one already
// to "….bad.1", whatever that was.  So the first one is kept, and there are never more than two.
Result<std::filesystem::path> SetAside(const std::filesystem::path& file);

}  // namespace imagesweep
