#pragma once

#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <utility>

#include "agent/base/clock.h"

namespace imagesweep {

// Lets other threads end a wait early: a policy edit must apply at once, not at the next interval.
class Wakeup {
 public:
  void Notify() {
    {
      const std::scoped_lock lock(mu_);
      notified_ = true;
    }
    woken_.notify_all();
  }
  // Returns on a notification since the last wait, after `time`, or on stop.  True if notified.
  bool Wait(Millis time, const std::stop_token& stop) {
    std::unique_lock lock(mu_);
    woken_.wait_for(lock, stop, time, [this] { return notified_; });
    return std::exchange(notified_, false);
  }

 private:
  std::mutex mu_;
  std::condition_variable_any woken_;
  bool notified_ = false;
};

}  // namespace imagesweep
