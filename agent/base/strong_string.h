#pragma once

#include <compare>
#include <string>
#include <utility>

namespace imagesweep {

// Two strings that must never be swapped get two types.
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
