#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "agent/base/clock.h"
#include "agent/base/result.h"
#include "agent/daemon/restore.h"

namespace imagesweep {

// Keeps a restore from filling the image filesystem: checks it before each image and, while images
// are being fetched, twice a second.  Any thread.
class SpaceGuard {
 public:
  // `space` and `clock` must outlive it.
  SpaceGuard(const RestoreSpace& space, const Clock& clock, const std::stop_token& stop);

  // Stops when the given token stops, or when too little space is available.
  std::stop_token token() const { return cancel_.get_token(); }
  // Requires that token() has stopped.
  Error WhyStopped();

  // Call before an image of that size, as the runtime reported it, is fetched.  Error: not enough
  // space for it beside the images in progress.  On containerd, the size is that of the compressed
  // layers, so it is a lower bound.
  Status Begin(std::uint64_t bytes);
  void End(std::uint64_t bytes);

 private:
  // Empty: at least `bytes` are available above the limit.
  std::optional<Error> TooLittle(std::uint64_t bytes);

  const RestoreSpace& space_;
  const Clock& clock_;
  std::mutex mu_;
  std::uint64_t under_way_ = 0;
  std::optional<Error> too_little_;
  std::stop_source cancel_;
  std::stop_callback<std::function<void()>> forward_;
  std::jthread watcher_;
};

}  // namespace imagesweep
