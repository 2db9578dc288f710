#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace imagesweep {

// The kinds of errors that a caller can act on.
enum class ErrorKind {
  kInvalid,      // the input is wrong; a retry does not help
  kUnavailable,  // the server is not reachable; it may come back
  kDeadline,     // the server did not answer in time
  kDenied,       // 401, 403, EACCES, PERMISSION_DENIED
  kNotFound,     // the requested object does not exist
  kIncomplete,   // the answer is partial, stale or contradictory
  kCancelled,    // the caller requested a stop
  kInternal,     // anything else
};

// The kind as a lower-case word for logs and JSON: "unavailable".
std::string_view ToString(ErrorKind kind);

struct Error {
  ErrorKind kind = ErrorKind::kInternal;
  std::string what;

  // Adds the failed action, outermost first: "plan: cri: ListImages: deadline exceeded".
  Error Wrap(std::string_view doing) && {
    what.insert(0, std::string(doing) + ": ");
    return std::move(*this);
  }
  Error Wrap(std::string_view doing) const& { return Error(*this).Wrap(doing); }
};

// A value or an error.  The interface is that of C++23's std::expected, which can replace it later.
// Reading the wrong alternative throws bad_variant_access, which no code catches: a bug stops the
// process.
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
