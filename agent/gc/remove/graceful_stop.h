#pragma once

#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <thread>

#include "agent/base/clock.h"

namespace imagesweep {

// Gives removals in progress 8 s after a stop request: token() follows `stop` with this delay.
class GracefulStop {
 public:
  GracefulStop(const std::stop_token& stop, const Clock& clock)
      : waiter_([stop, &clock, this](const std::stop_token& done) {
          std::mutex mu;
          std::condition_variable_any woken;
          const std::stop_callback wake(stop, [&] {
            const std::scoped_lock guard(mu);
            woken.notify_all();
          });
          std::unique_lock lock(mu);
          woken.wait(lock, done, [&] { return stop.stop_requested(); });
          lock.unlock();
          if (clock.Sleep(Millis{8'000}, done)) cancel_.request_stop();
        }) {}
  std::stop_token token() const { return cancel_.get_token(); }

 private:
  std::stop_source cancel_;
  std::jthread waiter_;
};

}  // namespace imagesweep
