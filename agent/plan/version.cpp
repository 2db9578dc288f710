#include "agent/plan/version.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace imagesweep {
namespace {

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}
bool IsNumber(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, IsDigit);
}

// A commit has no order: seven or more hexadecimal digits with a letter among them.
bool LooksLikeCommit(std::string_view token) {
  const bool hex =
      std::ranges::all_of(token, [](char c) { return IsDigit(c) || (c >= 'a' && c <= 'f'); });
  return token.size() >= 7 && hex && !IsNumber(token);
}

bool NamesPrerelease(std::string_view text) {
  constexpr std::array kWords{"alpha", "beta", "rc", "pre", "dev", "snapshot", "nightly"};
  return std::ranges::any_of(kWords, [&](std::string_view word) {
    if (text.size() < word.size()) return false;
    return std::ranges::equal(text.substr(0, word.size()), word, [](char a, char b) {
      return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
    });
  });
}

std::vector<std::string> Split(std::string_view text, std::string_view at) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const auto end = text.find_first_of(at);
    parts.emplace_back(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return parts;
}

// "1.25.3" at the start of `text`, which is shortened by it; empty when there is no number or one
// too large.
std::vector<std::uint64_t> TakeNumbers(std::string_view& text) {
  std::vector<std::uint64_t> numbers;
  std::string_view rest = text;
  while (!rest.empty() && IsDigit(rest.front())) {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
    if (error != std::errc()) return {};
    numbers.push_back(number);
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
    if (rest.size() < 2 || rest.front() != '.' || !IsDigit(rest[1])) break;
    rest.remove_prefix(1);
  }
  text = rest;
  return numbers;
}

std::strong_ordering ComparePart(const std::string& a, const std::string& b) {
  if (IsNumber(a) && IsNumber(b)) {
    if (a.size() != b.size()) return a.size() <=> b.size();
    return a <=> b;
  }
  if (IsNumber(a) != IsNumber(b))
    return IsNumber(a) ? std::strong_ordering::less : std::strong_ordering::greater;
  return a <=> b;
}

}  // namespace

std::strong_ordering operator<=>(const TagVersion& a, const TagVersion& b) {
  const std::size_t size = std::max(a.numbers.size(), b.numbers.size());
  for (std::size_t i = 0; i < size; ++i) {
    const std::uint64_t left = i < a.numbers.size() ? a.numbers[i] : 0;
    const std::uint64_t right = i < b.numbers.size() ? b.numbers[i] : 0;
    if (left != right) return left <=> right;
  }
  if (a.prerelease != b.prerelease)
    return a.prerelease ? std::strong_ordering::less : std::strong_ordering::greater;
  const std::size_t parts = std::min(a.prerelease_parts.size(), b.prerelease_parts.size());
  for (std::size_t i = 0; i < parts; ++i)
    if (const auto order = ComparePart(a.prerelease_parts[i], b.prerelease_parts[i]); order != 0)
      return order;
  return a.prerelease_parts.size() <=> b.prerelease_parts.size();
}

std::optional<TagVersion> ReadVersion(std::string_view tag) {
  std::string_view rest = tag;
  while (!rest.empty()) {
    const auto token = rest.substr(0, rest.find_first_of("-_+"));
    if (LooksLikeCommit(token)) return std::nullopt;
    std::string_view number = rest;
    if ((number.front() == 'v' || number.front() == 'V') && number.size() > 1)
      number.remove_prefix(1);
    if (IsDigit(number.front())) {
      TagVersion version;
      version.prefix =
          std::string(tag.substr(0, static_cast<std::size_t>(rest.data() - tag.data())));
      version.numbers = TakeNumbers(number);
      if (version.numbers.empty()) return std::nullopt;
      if (!number.empty() &&
          (number.front() == '-' || number.front() == '_' || number.front() == '.'))
        number.remove_prefix(1);
      version.prerelease = NamesPrerelease(number);
      if (version.prerelease)
        version.prerelease_parts = Split(number.substr(0, number.find('+')), ".-_");
      return version;
    }
    if (token.size() == rest.size()) return std::nullopt;
    rest.remove_prefix(token.size() + 1);
  }
  return std::nullopt;
}

}  // namespace imagesweep
