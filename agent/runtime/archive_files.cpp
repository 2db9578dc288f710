#include "agent/runtime/archive_files.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/file.h>
#include <unistd.h>

#include "agent/base/quantity.h"
#include "agent/model/image_name.h"

namespace imagesweep {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "sha256-";
constexpr std::string_view kSuffix = ".tar";
constexpr std::string_view kUnfinished = ".unfinished";

bool IsArchive(std::string_view name) {
  return name.size() == kPrefix.size() + 64 + kSuffix.size() && name.starts_with(kPrefix) &&
         name.ends_with(kSuffix) && IsFullHexId(name.substr(kPrefix.size(), 64));
}

Error FromErrno(int number, const std::string& what) {
  const ErrorKind kind = number == EACCES || number == EPERM || number == EROFS
                             ? ErrorKind::kDenied
                             : ErrorKind::kUnavailable;
  return {kind, what + ": " + std::generic_category().message(number)};
}

struct Archived {
  fs::path path;
  std::uint64_t size = 0;
  fs::file_time_type written;
};

}  // namespace

fs::path ArchiveFile(const fs::path& directory, const std::string& image_id) {
  std::string name = image_id + std::string(kSuffix);
  std::ranges::replace(name, ':', '-');
  return directory / name;
}

NewFile::NewFile(int descriptor, fs::path temporary, fs::path path)
    : descriptor_(descriptor), temporary_(std::move(temporary)), path_(std::move(path)) {}

NewFile::~NewFile() {
  if (descriptor_ < 0) return;
  close(descriptor_);
  unlink(temporary_.c_str());
}

Error NewFile::Failed(const char* doing) const {
  return FromErrno(errno, std::string(doing) + " " + temporary_.string());
}

Status NewFile::Write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t wrote = write(descriptor_, bytes.data(), bytes.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return Failed("write");
    bytes.remove_prefix(static_cast<std::size_t>(wrote));
  }
  return Done{};
}

Status NewFile::Keep() {
  if (fsync(descriptor_) != 0) return Failed("fsync");
  if (rename(temporary_.c_str(), path_.c_str()) != 0) return Failed("rename");
  close(std::exchange(descriptor_, -1));
  const int directory = open(path_.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return Failed("open the directory of");
  const bool durable = fsync(directory) == 0;
  const int why = errno;
  close(directory);
  if (!durable) return FromErrno(why, "fsync " + path_.parent_path().string());
  return Done{};
}

Result<std::unique_ptr<ArchiveDirectory>> ArchiveDirectory::Lock(const fs::path& directory) {
  if (!directory.is_absolute())
    return Error{ErrorKind::kInvalid, "\"" + directory.string() + "\" is not an absolute path"};
  std::error_code failed;
  const bool made = fs::create_directories(directory, failed);
  if (failed) return FromErrno(failed.value(), "create directory " + directory.string());
  if (made) fs::permissions(directory, fs::perms::owner_all, failed);
  const int lock = open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (lock < 0) return FromErrno(errno, "open " + directory.string());
  if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
    const int why = errno;
    close(lock);
    if (why != EWOULDBLOCK) return FromErrno(why, "lock " + directory.string());
    return Error{ErrorKind::kUnavailable,
                 "another process writes an archive in " + directory.string()};
  }
  std::unique_ptr<ArchiveDirectory> locked(new ArchiveDirectory(directory, lock));
  locked->ClearLeftovers();
  return locked;
}

ArchiveDirectory::~ArchiveDirectory() {
  close(lock_);
}

void ArchiveDirectory::ClearLeftovers() {
  std::error_code failed;
  for (fs::directory_iterator at(directory_, failed), end; !failed && at != end;
       at.increment(failed)) {
    const std::string name = at->path().filename().string();
    if (!name.ends_with(kUnfinished) ||
        !IsArchive(std::string_view(name).substr(0, name.size() - kUnfinished.size())))
      continue;
    std::error_code ignored;  // the file only takes space
    fs::remove(at->path(), ignored);
  }
}

Status ArchiveDirectory::FreeUp(std::uint64_t size, std::uint64_t max_size, const fs::path& path,
                                const std::map<fs::path, std::uint64_t>& kept) {
  std::vector<Archived> archives;  // that may be deleted
  std::uint64_t used = 0, for_good = 0;
  std::error_code failed;
  for (fs::directory_iterator at(directory_, failed), end; !failed && at != end;
       at.increment(failed)) {
    if (!IsArchive(at->path().filename().string()) || at->path() == path) continue;
    const Archived archive{at->path(), fs::file_size(at->path(), failed),
                           fs::last_write_time(at->path(), failed)};
    if (failed) break;
    used += archive.size;
    if (kept.contains(archive.path))
      for_good += archive.size;
    else
      archives.push_back(archive);
  }
  if (failed) return FromErrno(failed.value(), "read " + directory_.string());
  if (for_good + size > max_size)
    return Error{ErrorKind::kInvalid,
                 "keep.archive.maxSize (" + HumanBytes(max_size) + ") is used up by this run"};
  std::ranges::sort(archives, [](const Archived& one, const Archived& other) {
    return one.written != other.written ? one.written < other.written : one.path < other.path;
  });
  for (const Archived& oldest : archives) {
    if (used + size <= max_size) break;
    if (!fs::remove(oldest.path, failed) && failed)
      return FromErrno(failed.value(), "remove " + oldest.path.string());
    used -= oldest.size;
  }
  return Done{};
}

Result<std::unique_ptr<NewFile>> ArchiveDirectory::Begin(const fs::path& path) {
  fs::path temporary = path;
  temporary += kUnfinished;
  // O_EXCL: leftovers are already deleted, and no other file is ever overwritten.
  const int file = open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0) return FromErrno(errno, "create " + temporary.string());
  return std::make_unique<NewFile>(file, std::move(temporary), path);
}

bool IsSha256(std::string_view digest) {
  constexpr std::string_view kAlgorithm = "sha256:";
  return digest.starts_with(kAlgorithm) && IsFullHexId(digest.substr(kAlgorithm.size()));
}

struct Sha256::State {
  struct Free {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  std::unique_ptr<EVP_MD_CTX, Free> context{EVP_MD_CTX_new()};
  bool works = context != nullptr && EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) == 1;
};

Sha256::Sha256() : state_(std::make_unique<State>()) {}
Sha256::~Sha256() = default;

void Sha256::Add(std::string_view bytes) {
  state_->works =
      state_->works && EVP_DigestUpdate(state_->context.get(), bytes.data(), bytes.size()) == 1;
}

std::string Sha256::Digest() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> sum{};
  unsigned size = 0;
  // Without memory, the digest is the empty text, which never matches.
  if (!state_->works || EVP_DigestFinal_ex(state_->context.get(), sum.data(), &size) != 1)
    return {};
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string text = "sha256:";
  for (unsigned at = 0; at < size; ++at) text += {kHex[sum[at] >> 4], kHex[sum[at] & 0xF]};
  return text;
}

std::string DigestOf(std::string_view bytes) {
  Sha256 sum;
  sum.Add(bytes);
  return sum.Digest();
}

}  // namespace imagesweep
