#include "agent/state/use_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

#include "agent/state/state_dir.h"

namespace imagesweep {
namespace {

constexpr const char* kFile = "watch.lock";
// The locked bytes of the file, which stays empty.
constexpr off_t kWatching = 0;
constexpr off_t kAllWritten = 1;

struct flock Range(short type, off_t begin) {
  struct flock range {};
  range.l_type = type;
  range.l_whence = SEEK_SET;
  range.l_start = begin;
  range.l_len = 1;
  return range;
}

bool Held(int fd, off_t byte) {
  struct flock range = Range(F_RDLCK, byte);
  return ::fcntl(fd, F_OFD_GETLK, &range) == 0 && range.l_type == F_WRLCK;
}

bool SetLock(int fd, short type, off_t byte) {
  struct flock range = Range(type, byte);
  return ::fcntl(fd, F_OFD_SETLK, &range) == 0;
}

}  // namespace

WatchState ReadWatchState(const std::filesystem::path& directory) {
  const int fd = ::open((directory / kFile).c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return WatchState::kNone;
  const WatchState state = !Held(fd, kWatching)    ? WatchState::kNone
                           : Held(fd, kAllWritten) ? WatchState::kWritten
                                                   : WatchState::kBehind;
  ::close(fd);
  return state;
}

WatchLock::WatchLock(std::filesystem::path directory) : directory_(std::move(directory)) {}

WatchLock::~WatchLock() {
  if (fd_ >= 0) ::close(fd_);
}

// Opens the file again if it was deleted, because other processes use the file at the path.
Status WatchLock::Open() {
  auto path = PrepareStateFile(directory_, kFile);
  if (!path) return std::move(path).error();
  if (fd_ >= 0) ::close(fd_);
  fd_ = ::open(path->c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC);
  if (fd_ >= 0) return Done{};
  return Error{ErrorKind::kUnavailable,
               "open " + path->string() + ": " + std::generic_category().message(errno)};
}

Status WatchLock::Set(WatchState state) {
  if (directory_.empty() || state == state_) return Done{};
  if (state == WatchState::kNone) {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
    state_ = state;
    return Done{};
  }
  if (fd_ < 0)
    if (auto opened = Open(); !opened) return opened;
  const bool written = state == WatchState::kWritten;
  if (SetLock(fd_, F_WRLCK, kWatching) && SetLock(fd_, written ? F_WRLCK : F_UNLCK, kAllWritten)) {
    state_ = state;
    return Done{};
  }
  const int code = errno;
  ::close(std::exchange(fd_, -1));
  state_ = WatchState::kNone;
  return Error{ErrorKind::kUnavailable, "lock " + (directory_ / kFile).string() + ": " +
                                            std::generic_category().message(code)};
}

UseLog::UseLog(std::filesystem::path directory, std::string boot_id)
    : directory_(std::move(directory)), boot_id_(std::move(boot_id)), lock_(directory_) {}

Status UseLog::Write(const std::vector<std::string>& uses, const std::optional<SteadyTime>& since) {
  if (directory_.empty()) return Done{};
  if (file_ == nullptr) {
    auto opened = AgeStoreFile::Open(directory_);
    if (!opened) return std::move(opened).error();
    file_ = std::move(opened->file);
  }
  std::optional<WatchMark> mark;
  if (since && !boot_id_.empty()) mark = WatchMark{boot_id_, since->time_since_epoch()};
  auto written = file_->AddUses(uses, mark);
  if (!written) file_.reset();
  return written;
}

}  // namespace imagesweep
