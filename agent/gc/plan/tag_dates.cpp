#include "agent/gc/plan/tag_dates.h"

#include <cstddef>
#include <cstdint>
#include <vector>

#include "agent/base/parse_number.h"
#include "agent/gc/plan/tag_text.h"

namespace imagesweep {
namespace {

bool Within(std::string_view digits, std::uint64_t low, std::uint64_t high) {
  if (!IsNumber(digits)) return false;
  const std::uint64_t number =
      ParseNumber<std::uint64_t>(digits).value_or(high + 1);  // empty: does not fit
  return number >= low && number <= high;
}

bool IsDayOrMonth(std::string_view text) {
  return text.size() <= 2 && Within(text, 1, 31);
}

bool IsAmbiguousDate(std::string_view first, std::string_view second, std::string_view year) {
  return IsDayOrMonth(first) && IsDayOrMonth(second) &&
         (Within(first, 1, 12) || Within(second, 1, 12)) && (IsYear(year) || year.size() == 2);
}

}  // namespace

bool IsYear(std::string_view text) {
  return text.size() == 4 && Within(text, 1990, 2099);
}
bool IsDay(std::string_view year, std::string_view month, std::string_view day) {
  return IsYear(year) && Within(month, 1, 12) && Within(day, 1, 31);
}
bool IsCompactDate(std::string_view text) {
  return text.size() >= 8 && IsDay(text.substr(0, 4), text.substr(4, 2), text.substr(6, 2));
}

bool IsEpochTime(std::string_view digits) {
  return (digits.size() == 10 || digits.size() == 13) && digits.front() == '1';
}

bool HasAmbiguousDate(std::string_view tag) {
  std::vector<std::string_view> fields;  // digits, one separator apart
  char separator = 0;
  for (std::size_t at = 0; at < tag.size();) {
    if (!IsDigit(tag[at])) {
      ++at;
      continue;
    }
    const std::size_t begin = at;
    while (at < tag.size() && IsDigit(tag[at])) ++at;
    const char before = begin == 0 ? '\0' : tag[begin - 1];
    const bool goes_on = !fields.empty() && IsSeparator(before) &&
                         fields.back().data() + fields.back().size() + 1 == tag.data() + begin &&
                         (fields.size() == 1 || before == separator);
    if (!goes_on) fields.clear();
    separator = before;
    fields.push_back(tag.substr(begin, at - begin));
    const std::string_view field = fields.back();
    if (fields.size() >= 3 && IsYear(field) &&
        IsAmbiguousDate(fields[fields.size() - 3], fields[fields.size() - 2], field))
      return true;
    const bool is_whole =
        (before == '\0' || IsSeparator(before)) && (at == tag.size() || IsSeparator(tag[at]));
    const bool is_time = fields.size() > 1 && IsCompactDate(fields[fields.size() - 2]);
    if (is_whole && !is_time && !IsCompactDate(field) && (field.size() == 6 || field.size() == 8) &&
        IsAmbiguousDate(field.substr(0, 2), field.substr(2, 2), field.substr(4)))
      return true;
  }
  return false;
}

}  // namespace imagesweep
