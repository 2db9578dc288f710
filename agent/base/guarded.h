#pragma once

#include <mutex>
#include <utility>

namespace imagesweep {

// A value with its lock: the value is only accessible under the lock, and With() returns by value,
// so that no reference escapes.
template <typename T>
class Guarded {
 public:
  Guarded() = default;
  explicit Guarded(T value) : value_(std::move(value)) {}

  template <typename F>
  auto With(F&& use) {
    std::scoped_lock lock(mu_);
    return std::forward<F>(use)(value_);
  }
  template <typename F>
  auto With(F&& use) const {
    std::scoped_lock lock(mu_);
    return std::forward<F>(use)(std::as_const(value_));
  }

 private:
  mutable std::mutex mu_;
  T value_{};
};

}  // namespace imagesweep
