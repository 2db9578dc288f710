#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/result.h"

namespace imagesweep::store {

// An open directory of a store.  Everything below it is opened by one name at a time, relative to
// the directory that is open: no symbolic link is followed, and no name with "/" or ".." is taken.
// Only reads (O_RDONLY).  Not for several threads.
//
// Errors: kNotFound (ENOENT), kDenied (EACCES, EPERM), kInvalid for an invalid name,
// kIncomplete for an object of another type and everything else.  All of them name the path.
class Directory {
 public:
  // `path` is the operator's, so symbolic links in it are followed.
  static Result<Directory> Open(const std::string& path);
  Directory(Directory&& other) noexcept;
  Directory& operator=(Directory&& other) noexcept;
  ~Directory();

  const std::string& path() const { return path_; }
  int fd() const { return fd_; }

  Result<Directory> Sub(std::string_view name) const;
  // Several steps, one name each: "imagedb/content/sha256".
  Result<Directory> Below(std::string_view names) const;
  // The whole regular file.  kIncomplete if it is longer than `most` bytes.
  Result<std::string> Read(std::string_view name, std::size_t most) const;
  // The names in it, without "." and "..", in no order.  kIncomplete if there are more than `most`.
  Result<std::vector<std::string>> List(std::size_t most) const;
  // lstat(2).
  Result<struct stat> Stat(std::string_view name) const;

 private:
  Directory(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
  int fd_;
  std::string path_;
};

// The error of a system call on this path.
Error ErrorOf(int code, const std::string& path);

}  // namespace imagesweep::store
