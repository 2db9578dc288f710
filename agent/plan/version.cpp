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
  return token.size() >= 7 && !IsNumber(token) &&
         std::ranges::all_of(token, [](char c) { return IsDigit(c) || (c >= 'a' && c <= 'f'); });
}

bool NamesPrerelease(std::string_view text) {
  constexpr std::array<std::string_view, 7> kWords{"alpha", "beta",     "rc",     "pre",
                                                   "dev",   "snapshot", "nightly"};
  return std::ranges::any_of(kWords, [&](std::string_view word) {
    if (text.size() < word.size()) return false;
    return std::ranges::equal(text.substr(0, word.size()), word, [](char a, char b) {
      return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
    });
  });
}

// Position of the first character that ends a token; npos: none.  In place of find_first_of, which
// costs a call for every character.
std::size_t TokenEnd(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i)
    if (text[i] == '-' || text[i] == '_' || text[i] == '+') return i;
  return std::string_view::npos;
}

// The next part of "rc.1" and its kin; `rest` is shortened by it.
std::string_view TakePart(std::string_view& rest) {
  const auto end = rest.find_first_of(".-_");
  const auto part = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return part;
}

// "1.25.3" at the start of `text`, which is shortened by it; false when a number is too large to be
// one.
bool TakeNumbers(std::string_view& text, TagVersion& version) {
  std::size_t count = 0;
  while (!text.empty() && IsDigit(text.front())) {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc()) return false;
    if (count < TagVersion::kMaxNumbers) version.numbers[count++] = number;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    if (text.size() < 2 || text.front() != '.' || !IsDigit(text[1])) break;
    text.remove_prefix(1);
  }
  return true;
}

std::strong_ordering ComparePart(std::string_view a, std::string_view b) {
  if (IsNumber(a) && IsNumber(b) && a.size() != b.size()) return a.size() <=> b.size();
  if (IsNumber(a) != IsNumber(b))
    return IsNumber(a) ? std::strong_ordering::less : std::strong_ordering::greater;
  return a <=> b;
}

}  // namespace

std::strong_ordering operator<=>(const TagVersion& a, const TagVersion& b) {
  if (const auto order = a.numbers <=> b.numbers; order != 0) return order;
  if (a.prerelease.empty() != b.prerelease.empty())
    return a.prerelease.empty() ? std::strong_ordering::greater : std::strong_ordering::less;
  std::string_view left = a.prerelease, right = b.prerelease;
  while (!left.empty() && !right.empty())
    if (const auto order = ComparePart(TakePart(left), TakePart(right)); order != 0) return order;
  return left.size() <=> right.size();
}

std::optional<TagVersion> ReadVersion(std::string_view tag) {
  std::string_view rest = tag;
  while (!rest.empty()) {
    const auto token = rest.substr(0, TokenEnd(rest));
    if (LooksLikeCommit(token)) return std::nullopt;
    std::string_view number = rest;
    if ((number.front() == 'v' || number.front() == 'V') && number.size() > 1)
      number.remove_prefix(1);
    if (IsDigit(number.front())) {
      TagVersion version;
      version.prefix = tag.substr(0, static_cast<std::size_t>(rest.data() - tag.data()));
      if (!TakeNumbers(number, version)) return std::nullopt;
      if (!number.empty() && std::string_view("-_.").find(number.front()) != std::string_view::npos)
        number.remove_prefix(1);
      if (NamesPrerelease(number)) version.prerelease = number.substr(0, number.find('+'));
      return version;
    }
    if (token.size() == rest.size()) return std::nullopt;
    rest.remove_prefix(token.size() + 1);
  }
  return std::nullopt;
}

}  // namespace imagesweep
