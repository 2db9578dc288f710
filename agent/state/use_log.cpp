#include "agent/state/use_log.h"

#include <utility>

namespace imagesweep {

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
