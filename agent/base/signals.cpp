#include "agent/base/signals.h"

#include <csignal>
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
    while (!quit.stop_requested())
      if (sigwaitinfo(&set, nullptr) > 0 && !quit.stop_requested()) stop.request_stop();
  });
}

SignalWaiter::~SignalWaiter() {
  thread_.request_stop();
  pthread_kill(thread_.native_handle(), SIGINT);  // wakes this thread, which waits for a signal
}

}  // namespace imagesweep
