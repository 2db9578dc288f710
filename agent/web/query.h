#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "agent/model/plan.h"

namespace imagesweep::web {

// "a=1&b=x+y%21" as {a: "1", b: "x y!"}; of a name that comes twice the first.  A percent sign that
// begins no byte stays as it is: nothing a client writes is an error.
std::map<std::string, std::string> ParseQuery(std::string_view query);

enum class SortBy { kVerdict, kName, kCode, kReason, kAge, kLastUse, kSize };

std::string_view ToString(SortBy by);  // as in a query: "size"

// Which images a page shows, and in which order.
struct ImageQuery {
  std::string search;              // words that must all be found, in whatever case
  std::optional<Verdict> verdict;  // empty: all
  SortBy by = SortBy::kVerdict;
  bool descending = false;

  friend bool operator==(const ImageQuery&, const ImageQuery&) = default;
};

// What it does not know is left at the default.
ImageQuery ImageQueryOf(std::string_view query);
// The same as a query string; ImageQueryOf reads it back.
std::string ToQuery(const ImageQuery& query);

}  // namespace imagesweep::web
