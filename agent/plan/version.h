#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace imagesweep {

// The version that a tag tells: v2 < v10 < v10.1, 1.0.0-rc.1 < 1.0.0, dates and build numbers by
// their number.  Text around it is not compared ("v3-fixed" and "v3" are the same version).  Holds
// views into the tag: tens of thousands are read in every run.
struct TagVersion {
  static constexpr std::size_t kMaxNumbers = 6;  // further ones are not compared

  std::string_view prefix;  // before the number: "", "build-"; versions of two kinds have no order
  std::array<std::uint64_t, kMaxNumbers> numbers{};
  std::string_view prerelease;  // "rc.1"; empty for a release

  // Of two versions with the same prefix.  Semantic Versioning 2.0.0, section 11, for any count of
  // numbers.
  friend std::strong_ordering operator<=>(const TagVersion& a, const TagVersion& b);
  friend bool operator==(const TagVersion& a, const TagVersion& b) { return (a <=> b) == 0; }
};

// Empty when the tag tells none: "latest", a git commit, words.
std::optional<TagVersion> ReadVersion(std::string_view tag);

}  // namespace imagesweep
