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
#include "agent/runtime/containerd/archive_layout.h"

namespace imagesweep::containerd {

// An archive that was read completely. Every blob in it matches its digest.
class ArchiveReader {
 public:
  // kNotFound: the file does not exist. kInvalid: it is damaged, truncated, or not an image layout.
  // The message says which.
  static Result<std::unique_ptr<ArchiveReader>> Open(const std::filesystem::path& path,
                                                     const std::stop_token& stop);
  ~ArchiveReader();
  ArchiveReader(const ArchiveReader&) = delete;
  ArchiveReader& operator=(const ArchiveReader&) = delete;

  const std::vector<NamedImage>& images() const { return images_; }
  bool Has(const std::string& digest) const { return blobs_.contains(digest); }
  std::uint64_t SizeOf(const std::string& digest) const { return blobs_.at(digest).size; }
  // Reads a document. kInvalid if it is too large.
  Result<std::string> ReadDocument(const std::string& digest) const;
  // Reads the blob in pieces of at most 1 MiB.
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
