#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "agent/base/result.h"

namespace imagesweep {

// The identity of a file of the state directory in the file system.

struct FileIdentity {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t size = 0;
};

// Creates the directory (0700) and an empty file (0600) if they are missing.  Returns the path of
// the file with the links of the directory resolved.  Fails if the file is not a regular file.
// Does not follow a symbolic link.
Result<std::filesystem::path> PrepareStateFile(const std::filesystem::path& directory,
                                               const std::string& name);

// Identifies the path itself, not the target of a link.  kNotFound if it does not exist.
Result<FileIdentity> Identify(const std::filesystem::path& path);

// Renames a damaged file and its journal to "….bad", or to "….bad.1" if that exists.  Replaces
// an existing "….bad.1".  So the first damaged file is kept, and there are never more than two.
Result<std::filesystem::path> SetAside(const std::filesystem::path& file);

// Returns the ID of the operating system below `root` (etc/machine-id, which systemd creates): 32
// hexadecimal digits.  Empty if it is missing or invalid, for example before the first boot.
std::string ReadMachineId(const std::filesystem::path& root);

}  // namespace imagesweep
