#include "agent/runtime/store/tree_usage.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace imagesweep::store {
namespace {

constexpr std::size_t kDeepest = 256;           // each level keeps a descriptor open
constexpr std::size_t kMostLinked = 4'000'000;  // files with several names: 40 bytes each
constexpr std::uint64_t kBetweenStops = 1000;
constexpr std::uint64_t kStatBlock = 512;  // stat(2): st_blocks

using Stream = std::unique_ptr<DIR, int (*)(DIR*)>;

class Walk {
 public:
  explicit Walk(const std::stop_token& stop) : stop_(stop) {}

  Result<TreeUsage> Measure(const Directory& parent, std::string_view name) {
    const auto top = parent.Stat(name);
    if (!top) return top.error();
    const std::string path = parent.path() + "/" + std::string(name);
    device_ = top->st_dev;
    block_ = static_cast<std::uint64_t>(top->st_blksize);
    Count(*top);
    if (S_ISDIR(top->st_mode))
      if (auto status = Enter(parent.fd(), std::string(name), path); !status)
        return std::move(status).error();
    while (!open_.empty())
      if (auto status = Next(path); !status) return std::move(status).error();
    for (const auto& [inode, file] : linked_) {
      if (file.unseen == 0)
        Add(file.bytes);
      else
        ++total_.linked_outside;
    }
    total_.usage.whole = true;
    return total_;
  }

 private:
  struct Linked {
    std::uint64_t unseen = 0;  // names
    std::uint64_t bytes = 0;
  };

  void Add(std::uint64_t bytes) {
    total_.usage.bytes += bytes;
    ++total_.usage.inodes;
  }

  void Count(const struct stat& seen) {
    const std::uint64_t bytes = static_cast<std::uint64_t>(seen.st_blocks) * kStatBlock;
    if (S_ISDIR(seen.st_mode) || seen.st_nlink <= 1) return Add(bytes);
    Linked& file = linked_.try_emplace(seen.st_ino, Linked{seen.st_nlink, bytes}).first->second;
    if (file.unseen > 0) --file.unseen;
  }

  Status Enter(int parent, const std::string& name, const std::string& path) {
    if (open_.size() == kDeepest)
      return Error{ErrorKind::kIncomplete, path + ": directories are nested too deep"};
    const int fd = ::openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) return errno == ENOENT ? Status(Done{}) : ErrorOf(errno, path + " (" + name + ")");
    Stream stream(::fdopendir(fd), ::closedir);
    if (stream == nullptr) {
      const int code = errno;
      ::close(fd);
      return ErrorOf(code, path);
    }
    open_.push_back(std::move(stream));
    return Done{};
  }

  // One entry of the deepest directory.
  Status Next(const std::string& path) {
    DIR* const stream = open_.back().get();
    errno = 0;
    const dirent* const entry = ::readdir(stream);  // NOLINT(concurrency-mt-unsafe)
    if (entry == nullptr) {
      if (errno != 0) return ErrorOf(errno, path);
      open_.pop_back();
      return Done{};
    }
    if (++entries_ % kBetweenStops == 0 && stop_.stop_requested())
      return Error{ErrorKind::kCancelled, path + ": shutting down"};
    const std::string name = entry->d_name;
    if (name == "." || name == "..") return Done{};
    struct stat seen {};
    const int directory = ::dirfd(stream);
    if (directory < 0) return ErrorOf(errno, path);
    if (::fstatat(directory, name.c_str(), &seen, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) != 0)
      return errno == ENOENT ? Status(Done{}) : ErrorOf(errno, path + " (" + name + ")");
    if (seen.st_dev != device_) {
      Add(block_);
      return Done{};
    }
    Count(seen);
    if (linked_.size() > kMostLinked)
      return Error{ErrorKind::kIncomplete, path + ": too many files with several names"};
    return S_ISDIR(seen.st_mode) ? Enter(::dirfd(stream), name, path) : Status(Done{});
  }

  const std::stop_token& stop_;
  TreeUsage total_;
  dev_t device_ = 0;
  std::uint64_t block_ = 0;  // of a directory with few entries
  std::uint64_t entries_ = 0;
  std::vector<Stream> open_;
  std::unordered_map<ino_t, Linked> linked_;  // files with several names
};

}  // namespace

Result<TreeUsage> MeasureTree(const Directory& parent, std::string_view name,
                              const std::stop_token& stop) {
  return Walk(stop).Measure(parent, name);
}

}  // namespace imagesweep::store
