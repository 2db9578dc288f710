#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace imagesweep {

// The problems with the state directory: one line each, oldest first, without duplicates.
class Warnings {
 public:
  void Add(std::string text) {
    text = "state: " + text;
    std::ranges::replace(text, '\n', ' ');
    if (lines_.size() < kMost && std::ranges::find(lines_, text) == lines_.end())
      lines_.push_back(std::move(text));
  }
  const std::vector<std::string>& lines() const { return lines_; }

 private:
  static constexpr std::size_t kMost = 32;
  std::vector<std::string> lines_;
};

}  // namespace imagesweep
