#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace imagesweep {

// What went wrong, in the few kinds a caller can act on.
enum class ErrorKind {
  kInvalid,      // the input is wrong; trying again does not help
  kUnavailable,  // the other side is not there; it may come back
  kDeadline,     // the other side did not answer in time
  kDenied,       // 401, 403, EACCES, PERMISSION_DENIED
  kNotFound,     // the one thing asked for does not exist
  kIncomplete,   // an answer came, but it is not the whole truth (partial, stale, contradictory)
  kCancelled,    // we were asked to stop
  kInternal,     // anything else
};

// The kind as a lower-case word for logs and JSON: "unavailable".
std::string_view ToString(ErrorKind kind);

struct Error {
  ErrorKind kind = ErrorKind::kInternal;
  std::string what;

  // Adds what we were doing, outermost first: "plan: cri: ListImages: deadline exceeded".
  Error Wrap(std::string_view doing) && {
    what.insert(0, std::string(doing) + ": ");
    return std::move(*this);
  }
  Error Wrap(std::string_view doing) const& { return Error(*this).Wrap(doing); }
};

// A value, or the reason there is none.  Shaped like C++23's std::expected, so that this file can
// become one alias the day we move.  Reading the wrong side throws bad_variant_access, which
// nobody catches: a bug stops the process.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : v_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : v_(std::in_place_index<1>, std::move(error)) {}

  explicit operator bool() const noexcept { return v_.index() == 0; }
  const T& operator*() const& { return std::get<0>(v_); }
  T& operator*() & { return std::get<0>(v_); }
  T&& operator*() && { return std::get<0>(std::move(v_)); }
  const T* operator->() const { return &std::get<0>(v_); }
  T* operator->() { return &std::get<0>(v_); }
  const Error& error() const& { return std::get<1>(v_); }
  Error&& error() && { return std::get<1>(std::move(v_)); }

 private:
  std::variant<T, Error> v_;
};

struct Done {};
using Status = Result<Done>;

}  // namespace imagesweep
