#pragma once

#include <string>
#include <utility>

#include "agent/base/result.h"

namespace imagesweep {

// A file descriptor that closes itself; -1: none.
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

// Listens on HOST:PORT, [HOST]:PORT or :PORT; does not block.  kInvalid for another form,
// kUnavailable when the system says no.
Result<Fd> Listen(const std::string& address);

struct Peer {
  Fd fd;               // does not block; none when nobody waits
  bool local = false;  // its address is a loopback one
  int error = 0;       // of accept4(2)
};
Peer Accept(const Fd& listener);

}  // namespace imagesweep
