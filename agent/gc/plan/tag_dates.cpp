#include "agent/gc/plan/tag_dates.h"

#include <algorithm>
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

// Whether the text may be a day and a month in any order, and a year.
bool IsAmbiguousDate(std::string_view first, std::string_view second, std::string_view year) {
  return IsDayOrMonth(first) && IsDayOrMonth(second) &&
         (Within(first, 1, 12) || Within(second, 1, 12)) && (IsYear(year) || year.size() == 2);
}

// Numbers with one and the same separator between them: "31-12-2023".
struct NumberRun {
  std::vector<std::string_view> fields;
  char separator = 0;                           // 0: there is one field
  bool whole_start = false, whole_end = false;  // a separator or nothing is before and after it
  std::size_t end = 0;                          // in the tag
};

NumberRun ReadRun(std::string_view tag, std::size_t at) {
  NumberRun run;
  run.whole_start = at == 0 || IsSeparator(tag[at - 1]);
  while (true) {
    const std::size_t begin = at;
    while (at < tag.size() && IsDigit(tag[at])) ++at;
    run.fields.push_back(tag.substr(begin, at - begin));
    run.end = at;
    run.whole_end = at == tag.size() || IsSeparator(tag[at]);
    const bool goes_on = at + 1 < tag.size() && IsSeparator(tag[at]) && IsDigit(tag[at + 1]) &&
                         (run.separator == 0 || tag[at] == run.separator);
    if (!goes_on) return run;
    run.separator = tag[at++];
  }
}

bool IsTwoDigits(std::string_view text) {
  return text.size() == 2;
}

// "31-12-24", which may also begin with the year.  With dots, only if a zero shows that it is no
// version.
bool IsShortDate(const NumberRun& run) {
  if (run.fields.size() != 3 || !run.whole_start || !std::ranges::all_of(run.fields, IsTwoDigits) ||
      !IsAmbiguousDate(run.fields[0], run.fields[1], run.fields[2]))
    return false;
  return run.separator != '.' || std::ranges::any_of(run.fields, [](std::string_view field) {
           return field.front() == '0';
         });
}

// "12-2024" of a month, "52-2024" of a week.
bool BeginsWithMonthOrWeek(const NumberRun& run) {
  return run.fields.size() == 2 && run.whole_start && run.fields[0].size() <= 2 &&
         Within(run.fields[0], 1, 53) && IsYear(run.fields[1]);
}

// "31122023", "311223".
bool IsCompactAmbiguousDate(std::string_view field) {
  return !IsCompactDate(field) && (field.size() == 6 || field.size() == 8) &&
         IsAmbiguousDate(field.substr(0, 2), field.substr(2, 2), field.substr(4));
}

bool IsAmbiguous(const NumberRun& run) {
  const auto& fields = run.fields;
  for (std::size_t i = 2; i < fields.size(); ++i)
    if (IsYear(fields[i]) && IsAmbiguousDate(fields[i - 2], fields[i - 1], fields[i])) return true;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const bool whole = (i > 0 || run.whole_start) && (i + 1 < fields.size() || run.whole_end);
    const bool is_time = i > 0 && IsCompactDate(fields[i - 1]);
    if (whole && !is_time && IsCompactAmbiguousDate(fields[i])) return true;
  }
  return IsShortDate(run) || BeginsWithMonthOrWeek(run);
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
  for (std::size_t at = 0; at < tag.size();) {
    if (!IsDigit(tag[at])) {
      ++at;
      continue;
    }
    const NumberRun run = ReadRun(tag, at);
    at = run.end;
    if (IsAmbiguous(run)) return true;
  }
  return false;
}

}  // namespace imagesweep
