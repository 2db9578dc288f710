#include "agent/runtime/containerd/import_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "agent/runtime/archive_files.h"
#include "agent/runtime/archive_tar.h"
#include "agent/runtime/containerd/archive_source.h"

namespace imagesweep::containerd {
namespace {

constexpr std::size_t kPiece = std::size_t{1} << 20;  // the limit of gRPC for a message is 4 MiB

Error FromErrno(int number, const char* doing) {
  const ErrorKind kind = number == ENOENT                      ? ErrorKind::kNotFound
                         : number == EACCES || number == EPERM ? ErrorKind::kDenied
                                                               : ErrorKind::kUnavailable;
  return {kind, std::string(doing) + ": " + std::generic_category().message(number)};
}

Error CutOff() {
  return {ErrorKind::kInvalid, "the file is truncated"};
}

Status ReadAt(int file, std::uint64_t at, char* out, std::size_t size) {
  while (size > 0) {
    const ssize_t got = pread(file, out, size, static_cast<off_t>(at));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return FromErrno(errno, "read");
    if (got == 0) return CutOff();
    out += got;
    at += static_cast<std::uint64_t>(got);
    size -= static_cast<std::size_t>(got);
  }
  return Done{};
}

}  // namespace

Result<std::unique_ptr<ArchiveReader>> ArchiveReader::Open(const std::filesystem::path& path,
                                                           const std::stop_token& stop) {
  // Without O_NONBLOCK, opening a named pipe would wait for a writer.
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (file < 0) return FromErrno(errno, "open").Wrap(path.string());
  std::unique_ptr<ArchiveReader> reader(new ArchiveReader(file));
  if (auto read = reader->ReadAll(stop); !read) return read.error().Wrap(path.string());
  return reader;
}

ArchiveReader::~ArchiveReader() {
  close(file_);
}

Status ArchiveReader::ReadAll(const std::stop_token& stop) {
  struct stat about {};
  if (fstat(file_, &about) != 0) return FromErrno(errno, "stat");
  if (!S_ISREG(about.st_mode)) return Error{ErrorKind::kInvalid, "not a regular file"};
  file_size_ = static_cast<std::uint64_t>(about.st_size);
  for (std::uint64_t at = 0;;) {
    TarBlock block;
    if (auto read = ReadAt(file_, at, block.data(), block.size()); !read) return read;
    if (IsEndOfTar(block)) break;
    const auto entry = ParseTarHeader(block);
    if (!entry) return entry.error();
    const Part part{at + kTarBlock, entry->size};
    if (part.size > file_size_ - part.at) return CutOff();
    if (entry->is_file)
      if (auto checked = Check(entry->name, part, stop); !checked) return checked;
    at = part.at + part.size + TarPadding(part.size);
  }
  for (const char* name : {"oci-layout", "index.json"})
    if (!texts_.contains(name))
      return Error{ErrorKind::kInvalid,
                   "not an OCI image layout: " + std::string(name) + " is missing"};
  const auto layout = ReadText(texts_.at("oci-layout"));
  if (!layout) return layout.error();
  if (auto fits = CheckLayout(*layout); !fits) return fits;
  const auto index = ReadText(texts_.at("index.json"));
  if (!index) return index.error();
  auto images = ParseIndex(*index);
  if (!images) return images.error();
  images_ = *std::move(images);
  return Done{};
}

Status ArchiveReader::Check(const std::string& name, Part part, const std::stop_token& stop) {
  constexpr std::string_view kBlobs = "blobs/sha256/";
  if (!name.starts_with(kBlobs)) {
    texts_.try_emplace(name, part);
    return Done{};
  }
  const std::string digest = "sha256:" + name.substr(kBlobs.size());
  Sha256 sum;
  auto read = ReadPart(part, [&](std::string_view piece) -> Status {
    if (stop.stop_requested()) return Error{ErrorKind::kCancelled, "shutting down"};
    sum.Add(piece);
    return Done{};
  });
  if (!read) return read;
  if (sum.Digest() != digest)
    return Error{ErrorKind::kInvalid,
                 "the archive is damaged: the digest of " + name + " does not match"};
  blobs_.try_emplace(digest, part);
  return Done{};
}

Status ArchiveReader::ReadPart(Part part,
                               const std::function<Status(std::string_view)>& take) const {
  std::string piece;
  while (part.size > 0) {
    piece.resize(std::min<std::uint64_t>(kPiece, part.size));
    if (auto read = ReadAt(file_, part.at, piece.data(), piece.size()); !read) return read;
    if (auto taken = take(piece); !taken) return taken;
    part.at += piece.size();
    part.size -= piece.size();
  }
  return Done{};
}

Result<std::string> ArchiveReader::ReadText(Part part) const {
  if (part.size > kMaxDocumentBytes)
    return Error{ErrorKind::kInvalid, "a document in the archive is too large"};
  std::string text(part.size, '\0');
  if (auto read = ReadAt(file_, part.at, text.data(), text.size()); !read)
    return std::move(read).error();
  return text;
}

Result<std::string> ArchiveReader::ReadDocument(const std::string& digest) const {
  return ReadText(blobs_.at(digest));
}

Status ArchiveReader::Read(const std::string& digest,
                           const std::function<Status(std::string_view)>& take) const {
  return ReadPart(blobs_.at(digest), take);
}

}  // namespace imagesweep::containerd
