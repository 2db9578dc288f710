#pragma once

#include <span>
#include <string>
#include <vector>

#include "agent/base/result.h"
#include "agent/model/image.h"
#include "agent/model/report.h"

namespace imagesweep {

// The images that match NAME of `images`: a pattern as in a policy, otherwise as ImagesMeantBy.
// Ascending; empty if nothing matches.  kInvalid: nothing matches, because the pattern is invalid.
Result<std::vector<ImagePos>> ImagesNamed(std::span<const Image> images, const std::string& name);
// True for a pattern that may match any number of images, so that none is no error.
bool IsPattern(const std::string& name);

// Why this is no "key=value" of --filter, with the valid keys or values.  Empty: it is one.
std::string WhyNotFilter(const std::string& text);
// "verdict=Keep", …: all filters whose values are a fixed set.
std::vector<std::string> FilterChoices();
// The images that match at least one filter of each key in `filters`, which are valid.
std::vector<ImagePos> FilterImages(const Report& report, std::vector<ImagePos> images,
                                   std::span<const std::string> filters);

// The keys of --sort.
inline constexpr const char* kSortKeys[] = {"name", "size", "age", "last-used"};
// Sorts by a key, with "-" before it in descending order.  `reverse` reverses the order.  Images
// that are equal stay in the order of names.  An image without a known use is the least recently
// used one.
std::vector<ImagePos> SortImages(const Report& report, std::vector<ImagePos> images,
                                 const std::string& key, bool reverse);

}  // namespace imagesweep
