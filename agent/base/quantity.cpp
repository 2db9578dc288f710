#include "agent/base/quantity.h"

#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>

namespace imagesweep {
namespace {

struct Suffix {
  std::string_view name;
  double factor;
};

constexpr std::array<Suffix, 13> kSuffixes{{{"", 1},
                                            {"k", 1e3},
                                            {"M", 1e6},
                                            {"G", 1e9},
                                            {"T", 1e12},
                                            {"P", 1e15},
                                            {"E", 1e18},
                                            {"Ki", 1024.0},
                                            {"Mi", 1048576.0},
                                            {"Gi", 1073741824.0},
                                            {"Ti", 1099511627776.0},
                                            {"Pi", 1125899906842624.0},
                                            {"Ei", 1152921504606846976.0}}};
constexpr double kMaxBytes = 4611686018427387904.0;  // 2^62

Error Bad(std::string_view text) {
  return {ErrorKind::kInvalid,
          "\"" + std::string(text) + "\" is not a quantity of bytes; write e.g. 500Mi, 20Gi or 0"};
}

}  // namespace

Result<std::uint64_t> ParseQuantity(std::string_view text) {
  if (text.empty() || text.size() > 64) return Bad(text);
  if (text[0] != '.' && (text[0] < '0' || text[0] > '9')) return Bad(text);
  if (text.find_first_of("xX") == 1) return Bad(text);  // strtod would read hexadecimal
  const std::string copy(text);
  char* end = nullptr;
  const double number = std::strtod(copy.c_str(), &end);
  std::string_view suffix(end);
  if (suffix == "B" || suffix.ends_with("iB")) suffix.remove_suffix(1);
  for (const auto& [name, factor] : kSuffixes) {
    if (suffix != name) continue;
    const double bytes = std::ceil(number * factor);
    if (!(bytes >= 0 && bytes <= kMaxBytes)) return Bad(text);
    return static_cast<std::uint64_t>(bytes);
  }
  return Bad(text);
}

std::string HumanBytes(std::uint64_t bytes) {
  constexpr std::array kUnits{"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  if (bytes < 1024) return std::to_string(bytes) + "B";
  double value = static_cast<double>(bytes);
  std::size_t unit = 0;
  value /= 1024;
  while (value >= 1023.95 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  char text[32];
  std::snprintf(text, sizeof text, value < 99.95 ? "%.1f%s" : "%.0f%s", value, kUnits[unit]);
  return text;
}

}  // namespace imagesweep
