#include "agent/model/glob.h"

#include <algorithm>

namespace imagesweep {
namespace {

Error Bad(std::string_view text, std::string_view why) {
  return {ErrorKind::kInvalid,
          "\"" + std::string(text) + "\" is not an image pattern: " + std::string(why)};
}

bool HasWildcard(std::string_view text) {
  return text.find_first_of("*?") != std::string_view::npos;
}

// The registry a CLI would add: "nginx" -> docker.io/library/nginx, "shop/api" ->
// docker.io/shop/api. A first segment with a wildcard stands for the registry itself.
std::string Qualify(std::string_view repository) {
  const auto slash = repository.find('/');
  const auto first = repository.substr(0, slash);
  if (first.find("**") != std::string_view::npos) return std::string(repository);
  if (slash == std::string_view::npos) return "docker.io/library/" + std::string(repository);
  const bool registry = first == "localhost" || HasWildcard(first) ||
                        first.find_first_of(".:") != std::string_view::npos;
  return registry ? std::string(repository) : "docker.io/" + std::string(repository);
}

}  // namespace

bool GlobMatches(std::string_view pattern, std::string_view text) {
  // Greedy with back-tracking to the latest star of each kind: linear in practice, quadratic at
  // worst, no recursion.
  constexpr auto kNone = std::string_view::npos;
  std::size_t p = 0, t = 0;
  std::size_t star_p = kNone, star_t = 0;  // latest `*`
  std::size_t deep_p = kNone, deep_t = 0;  // latest `**`
  while (t < text.size() || p < pattern.size()) {
    if (p < pattern.size()) {
      if (pattern[p] == '*') {
        if (p + 1 < pattern.size() && pattern[p + 1] == '*') {
          p += 2;
          deep_p = p;
          deep_t = t;
          star_p = kNone;
        } else {
          ++p;
          star_p = p;
          star_t = t;
        }
        continue;
      }
      if (t < text.size() && (pattern[p] == text[t] || (pattern[p] == '?' && text[t] != '/'))) {
        ++p;
        ++t;
        continue;
      }
    }
    if (star_p != kNone && star_t < text.size() && text[star_t] != '/') {
      p = star_p;
      t = ++star_t;
    } else if (deep_p != kNone && deep_t < text.size()) {
      p = deep_p;
      t = ++deep_t;
      star_p = kNone;
    } else {
      return false;
    }
  }
  return true;
}

Result<ImageGlob> ImageGlob::Parse(std::string_view text) {
  if (text.empty()) return Bad(text, "it is empty");
  if (text.size() > 4096) return Bad(text.substr(0, 64), "it is longer than 4096 characters");
  if (std::ranges::any_of(text,
                          [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == 0x7f; }))
    return Bad(text, "it has a space or a control character");
  ImageGlob glob;
  glob.text_ = std::string(text);
  std::string_view rest = text;
  if (rest.starts_with("sha256:")) {
    glob.id_hex_ = std::string(rest.substr(7));
    const bool hex = std::ranges::all_of(
        glob.id_hex_, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
    if (!hex || glob.id_hex_.size() < 12 || glob.id_hex_.size() > 64)
      return Bad(text, "an image id is sha256: and 12 to 64 lower-case hexadecimal digits");
    return glob;
  }
  if (const auto at = rest.find('@'); at != std::string_view::npos) {
    glob.digest_ = std::string(rest.substr(at + 1));
    rest = rest.substr(0, at);
    if (glob.digest_.empty()) return Bad(text, "nothing follows the @");
  }
  const auto slash = rest.rfind('/');
  const auto name_start = slash == std::string_view::npos ? 0 : slash + 1;
  if (const auto colon = rest.find(':', name_start); colon != std::string_view::npos) {
    glob.tag_ = std::string(rest.substr(colon + 1));
    rest = rest.substr(0, colon);
    if (glob.tag_.empty()) return Bad(text, "nothing follows the colon");
  }
  if (rest.empty()) return Bad(text, "it names no repository");
  if (rest.front() == '/' || rest.back() == '/') return Bad(text, "a path segment is empty");
  // As in a reference: with a digest the tag does not count; and every tag means every tag.
  if (!glob.digest_.empty() || glob.tag_ == "*" || glob.tag_ == "**") glob.tag_.clear();
  glob.repository_ = Qualify(rest);
  return glob;
}

bool ImageGlob::Matches(const ImageName& name) const {
  if (!id_hex_.empty()) return false;
  if (!tag_.empty() && (name.tag().empty() || !GlobMatches(tag_, name.tag()))) return false;
  if (!digest_.empty() && (name.digest().empty() || !GlobMatches(digest_, name.digest())))
    return false;
  return GlobMatches(repository_, name.repository());
}

bool ImageGlob::Matches(const Image& image) const {
  if (!id_hex_.empty()) {
    std::string_view hex = image.id.text();
    if (hex.starts_with("sha256:")) hex.remove_prefix(7);
    return hex.starts_with(id_hex_);
  }
  const auto matches = [this](const ImageName& name) { return Matches(name); };
  return std::ranges::any_of(image.tags, matches) || std::ranges::any_of(image.digests, matches);
}

}  // namespace imagesweep
