#include "agent/base/signals.h"

#include <csignal>
#include <ctime>
#include <utility>

namespace imagesweep {

SignalWaiter::SignalWaiter(std::stop_source stop) {
  std::signal(SIGPIPE, SIG_IGN);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  thread_ = std::jthread([set, stop = std::move(stop)](const std::stop_token& quit) mutable {
    // A short time-out instead of a wake-up signal: a second Ctrl-C during shutdown is then still
    // delivered to nobody, and our own destructor needs no pthread_kill.
    const timespec tick{0, 100'000'000};
    while (!quit.stop_requested()) {
      if (sigtimedwait(&set, nullptr, &tick) > 0) stop.request_stop();
    }
  });
}

SignalWaiter::~SignalWaiter() = default;

}  // namespace imagesweep
