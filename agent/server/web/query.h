#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "agent/model/plan.h"

namespace imagesweep::web {

// "a=1&b=x+y%21" as {a: "1", b: "x y!"}; the first value of a repeated name.  A percent sign that
// does not start an escape stays unchanged: no input is an error.
std::map<std::string, std::string> ParseQuery(std::string_view query);

enum class SortBy { kVerdict, kName, kCode, kReason, kAge, kLastUse, kSize };

std::string_view ToString(SortBy by);  // as in a query: "size"

// The filter and the order of the images on a page.
struct ImageQuery {
  std::string search;              // words that must all match, ignoring case
  std::optional<Verdict> verdict;  // empty: all
  SortBy by = SortBy::kVerdict;
  bool descending = false;

  friend bool operator==(const ImageQuery&, const ImageQuery&) = default;
};

// Unknown fields and values are ignored.
ImageQuery ImageQueryOf(std::string_view query);
// The same as a query string; ImageQueryOf reads it back.
std::string ToQuery(const ImageQuery& query);

}  // namespace imagesweep::web
