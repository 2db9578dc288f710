#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace imagesweep {

// The version that a tag tells: v2 < v10 < v10.1, 1.0.0-rc.1 < 1.0.0, dates and build numbers by
// their number.  Text around it is not compared ("v3-fixed" and "v3" are the same version).
struct TagVersion {
  std::string
      prefix;  // what stands before the number: "", "build-"; versions of two kinds have no order
  std::vector<std::uint64_t> numbers;
  bool prerelease = false;
  std::vector<std::string> prerelease_parts;

  // Of two versions with the same prefix.  Semantic Versioning 2.0.0, section 11, for any count of
  // numbers.
  friend std::strong_ordering operator<=>(const TagVersion& a, const TagVersion& b);
  friend bool operator==(const TagVersion& a, const TagVersion& b) { return (a <=> b) == 0; }
};

// Empty when the tag tells none: "latest", a git commit, words.
std::optional<TagVersion> ReadVersion(std::string_view tag);

}  // namespace imagesweep
