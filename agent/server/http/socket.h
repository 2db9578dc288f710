#pragma once

#include <string>
#include <utility>

#include "agent/base/result.h"

namespace imagesweep {

// Owns a file descriptor; -1: none.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int number) : number_(number) {}
  Fd(Fd&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~Fd();
  int get() const { return number_; }

 private:
  int number_ = -1;
};

// Listens on HOST:PORT, [HOST]:PORT or :PORT; does not block.  kInvalid: another form;
// kUnavailable: the system refuses.
Result<Fd> Listen(const std::string& address);

struct Peer {
  Fd fd;               // non-blocking; none if no client waits
  bool local = false;  // the client has a loopback address
  int error = 0;       // of accept4(2)
};
Peer Accept(const Fd& listener);

}  // namespace imagesweep
