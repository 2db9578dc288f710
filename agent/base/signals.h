#pragma once

#include <stop_token>
#include <thread>

namespace imagesweep {

// Turns the first SIGTERM or SIGINT into a stop request on a plain thread, so that no code of ours
// ever runs in a signal handler.  Construct before any other thread exists (gRPC and cpprestsdk
// both start some): they inherit the mask, so a second one during a shutdown goes to nobody.
// SIGPIPE is ignored from then on.
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
