#include "agent/model/pattern_check.h"

#include <algorithm>
#include <vector>

#include "agent/base/unicode.h"
#include "agent/model/image_name.h"
#include "agent/model/regular_expression.h"

namespace imagesweep {
namespace {

constexpr auto kNone = std::string_view::npos;
constexpr std::size_t kMaxPattern = 4096;
constexpr std::size_t kMaxTag = 128;
constexpr std::size_t kFewestIdDigits = 12;  // as ImageIndex
constexpr std::size_t kFullHex = 64;

// An error, and suggestions.  Empty `why`: no error.
struct Fault {
  std::string why;
  std::vector<std::string> meant;

  explicit operator bool() const { return !why.empty(); }
};

bool IsLower(char c) {
  return c >= 'a' && c <= 'z';
}
bool IsCapital(char c) {
  return c >= 'A' && c <= 'Z';
}
bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}
bool IsWildcard(char c) {
  return c == '*' || c == '?';
}
bool IsSeparator(char c) {
  return c == '.' || c == '_' || c == '-';
}
bool IsTagCharacter(char c) {
  return IsLower(c) || IsCapital(c) || IsDigit(c) || IsSeparator(c) || IsWildcard(c);
}
bool HasCapital(std::string_view text) {
  return std::ranges::any_of(text, IsCapital);
}
bool HasWildcard(std::string_view text) {
  return std::ranges::any_of(text, IsWildcard);
}
bool IsNumber(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, IsDigit);
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower)
    if (IsCapital(c)) c = static_cast<char>(c - 'A' + 'a');
  return lower;
}

// No editor shows why such a pattern is wrong.
Fault InvisibleFault(std::string_view text) {
  const auto found = FindInvisible(text);
  if (!found) return {};
  return {"it has the invisible character " + CodePoint(found->code) + " in column " +
              std::to_string(found->column),
          {WithoutInvisible(text)}};
}

Fault IdFault(std::string_view text) {
  const auto hex = text.substr(text.find(':') + 1);
  if (IsHex(hex) && hex.size() >= kFewestIdDigits && hex.size() <= kFullHex) return {};
  Fault fault{"an image ID is sha256: and 12 to 64 lower-case hexadecimal digits", {Lower(text)}};
  if (text.ends_with('*')) fault.meant.emplace_back(text.substr(0, text.find('*')));
  return fault;
}

// Checks the text after the @.
Fault DigestFault(std::string_view name, std::string_view digest) {
  if (digest.empty()) return {"the digest after the @ is empty", {std::string(name)}};
  if (std::ranges::any_of(digest,
                          [](char c) { return !IsTagCharacter(c) && c != ':' && c != '+'; }))
    return {"invalid character in the digest; write name@sha256: and 64 hexadecimal digits", {}};
  if (HasWildcard(digest)) return {};
  const auto colon = digest.find(':');
  const auto hex = colon == kNone ? std::string_view() : digest.substr(colon + 1);
  const auto algorithm = digest.substr(0, colon);
  const std::size_t digits = algorithm == "sha512" ? 128 : algorithm == "sha384" ? 96 : kFullHex;
  if (IsHex(hex) && (hex.size() == digits || (algorithm != "sha256" && hex.size() >= 32)))
    return {};
  Fault fault{"invalid digest: 64 lower-case hexadecimal digits must follow sha256:", {}};
  if (IsHex(hex) && hex.size() < digits)
    fault.meant.push_back(std::string(name) + "@" + std::string(digest) + "*");
  else
    fault.meant.push_back(std::string(name) + "@" + Lower(digest));
  return fault;
}

Fault TagFault(std::string_view tag) {
  if (tag.size() > kMaxTag) return {"a tag has at most 128 characters", {}};
  const std::string meant = FromRegularExpression(tag, "*");
  if (!std::ranges::all_of(tag, IsTagCharacter))
    return {
        "invalid character in the tag; patterns are globs with * and ?, not regular "
        "expressions",
        {meant}};
  if (tag.front() == '.' || tag.front() == '-')
    return {"a tag cannot begin with a dot or a dash; * alone matches any text", {meant}};
  // "7.*" and "RELEASE.*" are globs.  After "v", a dash or an underscore, the dot is part of a
  // regular expression.
  const auto dot = tag.find(".*");
  const bool expression = dot != kNone && (tag[dot - 1] == '-' || tag[dot - 1] == '_' ||
                                           Lower(tag.substr(0, dot)) == "v");
  if (expression)
    return {"* alone matches any text; .* matches only tags with a dot there", {meant}};
  return {};
}

bool LooksLikePort(std::string_view tag) {
  return IsNumber(tag) && (tag.size() == 4 || tag.size() == 5) && tag.front() != '0' &&
         (tag.size() == 4 || tag <= "65535");
}

// Checks a pattern without a slash, which names a repository of Docker Hub or is a mistake.
Fault SingleWordFault(std::string_view text, std::string_view word, std::string_view tag) {
  const std::string whole = std::string(text) + "/**";
  const bool named = !tag.empty() && tag != "*" && tag != "**";
  if (word == "localhost" && (!named || LooksLikePort(tag)))
    return {"it names a registry without a repository", {whole}};
  const bool host = word.find('.') != kNone || word.starts_with('[');
  if (host && (!named || IsNumber(tag))) {
    const std::string registry = named ? std::string(text) : std::string(word);
    Fault fault{"it names a registry without a repository", {registry + "/**"}};
    if (word.find(".*") != kNone) fault.meant.push_back(FromRegularExpression(text, "*"));
    if (!HasWildcard(word) && !word.starts_with('['))
      fault.meant.push_back("docker.io/library/" + std::string(text));
    return fault;
  }
  if (LooksLikePort(tag))
    return {"it is ambiguous: a registry with its port, or a tag",
            {whole, "docker.io/library/" + std::string(text)}};
  if (tag.empty() && IsHex(word) && word.size() >= kFewestIdDigits && word.size() < kFullHex)
    return {"it is ambiguous: an image ID, or a repository of Docker Hub",
            {"sha256:" + std::string(word), "docker.io/library/" + std::string(word)}};
  if (HasCapital(word))
    return {"a repository cannot contain capital letters",
            {Lower(word) + std::string(text.substr(word.size()))}};
  return {};
}

Fault RegistryFault(std::string_view text, std::string_view registry) {
  const auto rest = text.substr(registry.size());
  if (registry.starts_with('[')) return {};
  const auto colon = registry.find(':');
  if (HasCapital(registry) && registry.find('.') == kNone && colon == kNone)
    return {
        "the path of an image name cannot contain capital letters, and a registry needs a dot "
        "or a port",
        {Lower(registry) + std::string(rest)}};
  const auto port = colon == kNone ? "1" : registry.substr(colon + 1);
  if (port.empty() ||
      !std::ranges::all_of(port, [](char c) { return IsDigit(c) || IsWildcard(c); }))
    return {"the port of a registry must be a number", {}};
  return {};
}

// `text`: the whole pattern, which begins with the repository.
Fault PathFault(std::string_view text, std::string_view repository) {
  const auto first = repository.substr(0, repository.find('/'));
  const bool registry = first.size() < repository.size() &&
                        (!SplitRepository(repository).registry.empty() || HasWildcard(first));
  if (registry)
    if (Fault fault = RegistryFault(text, first)) return fault;
  const auto path = registry ? repository.substr(first.size() + 1) : repository;
  if ((first == "docker.io" || first == "index.docker.io") && path == "*")
    return {
        "Docker Hub has no images directly in docker.io; official images are in "
        "docker.io/library",
        {"docker.io/**", "docker.io/library/*"}};
  if (HasCapital(path)) {
    const auto at = registry ? first.size() + 1 : 0;
    return {"the path of an image name cannot contain capital letters",
            {std::string(text.substr(0, at)) + Lower(path) +
             std::string(text.substr(repository.size()))}};
  }
  if (path.find(':') != kNone) return {"only the last part of a name can have a tag", {}};
  for (std::size_t at = 0; at <= path.size();) {
    const auto end = std::min(path.find('/', at), path.size());
    const auto part = path.substr(at, end - at);
    at = end + 1;
    if (IsSeparator(part.front()) || IsSeparator(part.back()) || part.find("..") != kNone)
      return {
          "each part of an image name must begin and end with a letter or a digit, and cannot "
          "contain two dots in a row",
          {ImagesFromRegularExpression(text)}};
  }
  return {};
}

// Checks the text as a whole, before its parts.
Fault TextFault(std::string_view text) {
  if (text.empty()) return {"it is empty", {}};
  if (text.size() > kMaxPattern) return {"it is longer than 4096 characters", {}};
  if (std::ranges::any_of(text,
                          [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == 0x7f; }))
    return {"it contains a space or a control character", {}};
  if (Fault fault = InvisibleFault(text)) return fault;
  if (const auto scheme = text.find("://"); scheme != kNone)
    return {"an image name cannot have a scheme", {std::string(text.substr(scheme + 3))}};
  std::string_view rest = text;
  if (text.starts_with('[')) {  // the IPv6 address of a registry
    const auto end = text.find(']');
    const auto address = text.substr(1, end == kNone ? end : end - 1);
    if (end == kNone || address.find(':') == kNone ||
        address.find_first_not_of("0123456789abcdefABCDEF:.") != kNone)
      return {
          "[ is only valid in the IPv6 address of a registry; patterns are globs, not regular "
          "expressions",
          {ImagesFromRegularExpression(text)}};
    rest = text.substr(end + 1);
  }
  if (std::ranges::any_of(rest.substr(0, rest.find('@')),
                          [](char c) { return !IsTagCharacter(c) && c != '/' && c != ':'; }))
    return {"invalid character; patterns are globs with *, ** and ?, not regular expressions",
            {ImagesFromRegularExpression(text)}};
  if (text.starts_with('.') || text.find("/.") != kNone)
    return {"a part of an image name cannot begin with a dot; * alone matches any text",
            {ImagesFromRegularExpression(text)}};
  return {};
}

Fault EmptyPartFault(std::string_view text, std::string_view repository) {
  if (repository.empty()) return {"it names no repository", {}};
  if (repository.front() != '/' && repository.back() != '/' && repository.find("//") == kNone)
    return {};
  std::string meant(text);
  for (std::size_t at = meant.find("//"); at != kNone; at = meant.find("//")) meant.erase(at, 1);
  if (meant.starts_with('/')) meant.erase(0, 1);
  if (meant.ends_with('/')) meant += "**";
  return {"a path segment is empty", {meant}};
}

Fault ImageFault(std::string_view text) {
  if (Fault fault = TextFault(text)) return fault;
  if (text.starts_with("sha256:")) return IdFault(text);
  std::string_view rest = text;
  if (const auto at = rest.find('@'); at != kNone) {
    if (Fault fault = DigestFault(rest.substr(0, at), rest.substr(at + 1))) return fault;
    rest = rest.substr(0, at);
  }
  const auto slash = rest.rfind('/');
  auto name_start = slash == kNone ? 0 : slash + 1;
  if (rest.substr(name_start).starts_with('[')) name_start = rest.find(']');
  std::string_view tag;
  if (const auto colon = rest.find(':', name_start); colon != kNone) {
    tag = rest.substr(colon + 1);
    rest = rest.substr(0, colon);
    if (tag.empty()) return {"the tag after the colon is empty", {std::string(rest)}};
    if (Fault fault = TagFault(tag)) {
      for (std::string& meant : fault.meant) {
        meant.insert(0, std::string(rest) + ":");
        meant += text.substr(rest.size() + 1 + tag.size());
      }
      return fault;
    }
  }
  if (Fault fault = EmptyPartFault(text, rest)) return fault;
  if (slash == kNone && text.find('@') == kNone)
    if (Fault fault = SingleWordFault(text, rest, tag)) return fault;
  return PathFault(text, rest);
}

// Suggests only valid patterns.
template <typename IsGood>
std::string InWords(const Fault& fault, std::string_view text, const IsGood& is_good) {
  std::string words = fault.why;
  bool first = true;
  for (const std::string& meant : fault.meant) {
    if (meant == text || !is_good(meant)) continue;
    words += (first ? "; did you mean \"" : " or \"") + meant + "\"";
    first = false;
  }
  return first ? words : words + "?";
}

Fault TagPatternFault(std::string_view text, std::string_view images_field) {
  if (text.empty()) return {"must not be empty", {}};
  if (text.size() > kMaxTag) return {"must be at most 128 characters, like a tag", {}};
  if (Fault fault = InvisibleFault(text)) return fault;
  if (text.find_first_of(":/@") != kNone) {
    const auto colon = text.rfind(':');
    const bool tag = colon != kNone && text.find('@') == kNone;
    return {"must match only tags, such as latest or v1.*; put patterns for image names in " +
                std::string(images_field),
            {tag ? std::string(text.substr(colon + 1)) : std::string()}};
  }
  return TagFault(text);
}

}  // namespace

std::string WhyNotImagePattern(std::string_view text) {
  const Fault fault = ImageFault(text);
  return InWords(fault, text, [](const std::string& meant) { return !ImageFault(meant); });
}

std::string WhyNotTagPattern(std::string_view text, std::string_view images_field) {
  const Fault fault = TagPatternFault(text, images_field);
  return InWords(fault, text,
                 [&](const std::string& meant) { return !TagPatternFault(meant, images_field); });
}

}  // namespace imagesweep
