#pragma once

#include <mutex>
#include <utility>

namespace imagesweep {

// The lock owns the data: the value cannot be reached without it, and With() returns by value, so
// no reference gets out.
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
