#include "agent/registry/challenge.h"

#include <algorithm>

namespace imagesweep::registry {
namespace {

bool EqualFolded(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    return lower(x) == lower(y);
  });
}

void SkipSpace(std::string_view& text) {
  const auto begin = text.find_first_not_of(" \t,");
  text.remove_prefix(std::min(begin, text.size()));
}

// Reads `name="value"` or `name=value`.  Empty: another scheme or the end follows.
std::optional<std::pair<std::string_view, std::string>> TakeParameter(std::string_view& text) {
  SkipSpace(text);
  const auto end = text.find_first_of("= \t,");
  if (end == std::string_view::npos || text[end] != '=') return std::nullopt;
  const std::string_view name = text.substr(0, end);
  text.remove_prefix(end + 1);
  std::string value;
  if (text.starts_with('"')) {
    text.remove_prefix(1);
    while (!text.empty() && text.front() != '"') {
      if (text.front() == '\\' && text.size() > 1) text.remove_prefix(1);
      value += text.front();
      text.remove_prefix(1);
    }
    if (!text.empty()) text.remove_prefix(1);
  } else {
    const auto stop = std::min(text.find_first_of(", \t"), text.size());
    value = text.substr(0, stop);
    text.remove_prefix(stop);
  }
  return std::pair(name, std::move(value));
}

}  // namespace

std::optional<Challenge> ParseChallenge(std::string_view header) {
  std::optional<Challenge> basic;
  while (SkipSpace(header), !header.empty()) {
    const auto end = std::min(header.find_first_of(" \t,"), header.size());
    const std::string_view scheme = header.substr(0, end);
    header.remove_prefix(end);
    Challenge challenge;
    while (auto parameter = TakeParameter(header)) {
      auto& [name, value] = *parameter;
      if (EqualFolded(name, "realm"))
        challenge.realm = std::move(value);
      else if (EqualFolded(name, "service"))
        challenge.service = std::move(value);
      else if (EqualFolded(name, "scope"))
        challenge.scope = std::move(value);
    }
    challenge.bearer = EqualFolded(scheme, "Bearer");
    if (challenge.bearer) return challenge;
    if (EqualFolded(scheme, "Basic")) basic = std::move(challenge);
  }
  return basic;
}

}  // namespace imagesweep::registry
