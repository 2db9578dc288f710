#pragma once

#include <compare>
#include <string>
#include <utility>

namespace imagesweep {

// A string with a type of its own, so that two strings cannot be swapped by mistake.
template <typename Tag>
class StrongString {
 public:
  StrongString() = default;
  explicit StrongString(std::string text) : text_(std::move(text)) {}
  const std::string& text() const noexcept { return text_; }
  bool empty() const noexcept { return text_.empty(); }
  friend auto operator<=>(const StrongString&, const StrongString&) = default;

 private:
  std::string text_;
};

}  // namespace imagesweep
