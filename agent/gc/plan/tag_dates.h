#pragma once

#include <string_view>

namespace imagesweep {

bool IsYear(std::string_view text);
bool IsDay(std::string_view year, std::string_view month, std::string_view day);
// Begins with a date such as "20240115".
bool IsCompactDate(std::string_view text);
// Seconds or milliseconds since the epoch, from 2001 to 2033.
bool IsEpochTime(std::string_view digits);

// A date of the tag does not tell whether the day or the month comes first.
// "31-12-2023", "01.02.2024", "020124", "02012024"; not "2024-01-02", nor "20240102".
bool HasAmbiguousDate(std::string_view tag);

}  // namespace imagesweep
