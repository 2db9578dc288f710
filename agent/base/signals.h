#pragma once

#include <stop_token>
#include <thread>

namespace imagesweep {

// Turns the first SIGTERM or SIGINT into a stop request on a thread, so that no code runs in a
// signal handler.  Construct it before any other thread exists (gRPC and cpprestsdk start some),
// because they inherit the mask and a second signal during a shutdown is then ignored.  Also
// ignores SIGPIPE.
class SignalWaiter {
 public:
  explicit SignalWaiter(std::stop_source stop);
  ~SignalWaiter();
  SignalWaiter(const SignalWaiter&) = delete;
  SignalWaiter& operator=(const SignalWaiter&) = delete;

 private:
  std::jthread thread_;
};

}  // namespace imagesweep
