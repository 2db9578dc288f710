#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/result.h"
#include "agent/containerd/archive_layout.h"

namespace imagesweep::containerd {

// An archive that was read from end to end: every blob in it has the digest that it is named by.
class ArchiveReader {
 public:
  // kNotFound: there is no such file.  kInvalid: it is damaged, cut off, or no image layout, and in
  // which way.
  static Result<std::unique_ptr<ArchiveReader>> Open(const std::filesystem::path& path,
                                                     const std::stop_token& stop);
  ~ArchiveReader();
  ArchiveReader(const ArchiveReader&) = delete;
  ArchiveReader& operator=(const ArchiveReader&) = delete;

  const std::vector<NamedImage>& images() const { return images_; }
  bool Has(const std::string& digest) const { return blobs_.contains(digest); }
  std::uint64_t SizeOf(const std::string& digest) const { return blobs_.at(digest).size; }
  // A document; kInvalid when it is too large for one.
  Result<std::string> ReadDocument(const std::string& digest) const;
  // The blob, piece by piece, at most 1 MiB each.
  Status Read(const std::string& digest, const std::function<Status(std::string_view)>& take) const;

 private:
  struct Part {
    std::uint64_t at = 0;
    std::uint64_t size = 0;
  };
  explicit ArchiveReader(int file) : file_(file) {}
  Status ReadAll(const std::stop_token& stop);
  Status Check(const std::string& name, Part part, const std::stop_token& stop);
  Status ReadPart(Part part, const std::function<Status(std::string_view)>& take) const;
  Result<std::string> ReadText(Part part) const;

  const int file_;
  std::uint64_t file_size_ = 0;
  std::map<std::string, Part> blobs_;  // by digest
  std::map<std::string, Part> texts_;  // oci-layout, index.json
  std::vector<NamedImage> images_;
};

}  // namespace imagesweep::containerd
