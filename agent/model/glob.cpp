#include "agent/model/glob.h"

#include <algorithm>

#include "agent/model/pattern_check.h"

namespace imagesweep {
namespace {

constexpr std::size_t kFullHex = 64;

bool HasWildcard(std::string_view text) {
  return text.find_first_of("*?") != std::string_view::npos;
}

// Normalizes like the runtime: "nginx" -> docker.io/library/nginx.  A first part with a wildcard is
// the registry, and after docker.io `**` is a path of any length.
std::string Qualify(std::string_view repository) {
  const auto first = repository.substr(0, repository.find('/'));
  if (first.find("**") != std::string_view::npos) return std::string(repository);
  const RepositoryParts parts = SplitRepository(repository);
  const bool wildcard = HasWildcard(first) && first.size() < repository.size();
  if (parts.registry.empty() && wildcard) return std::string(repository);
  if (parts.registry.empty() || parts.path.find("**") == std::string_view::npos)
    return JoinRepository(parts);
  // Not "library/**": docker.io/** means the whole registry.
  const std::string joined = JoinRepository({parts.registry, "x"});
  return joined.substr(0, joined.find('/') + 1) + std::string(parts.path);
}

std::string_view HexOf(std::string_view digest) {
  const auto colon = digest.find(':');
  return colon == std::string_view::npos ? digest : digest.substr(colon + 1);
}

// Hosts of Docker Hub that a runtime treats as separate registries.
bool IsHostOfHub(std::string_view host) {
  return host == "registry-1.docker.io" || host == "registry.hub.docker.com";
}

bool IsFolded(std::string_view repository) {
  const auto host = repository.substr(0, repository.find('/'));
  return !IsHostOfHub(host) &&
         std::ranges::none_of(host, [](char c) { return c >= 'A' && c <= 'Z'; });
}

// One spelling for each registry: the host in lower case, and docker.io for its other hosts.
std::string Fold(std::string_view repository) {
  const auto slash = std::min(repository.find('/'), repository.size());
  std::string host(repository.substr(0, slash));
  for (char& c : host)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  if (!IsHostOfHub(host)) return host + std::string(repository.substr(slash));
  return Qualify("docker.io" + std::string(repository.substr(slash)));
}

// "quay.io/team/app" ends with the complete segments of "team/app".
bool EndsWithPath(std::string_view repository, std::string_view path) {
  return repository.ends_with(path) && repository.size() > path.size() &&
         repository[repository.size() - path.size() - 1] == '/';
}

// Compares its ID and its digests in any repository, like ImageIndex.
bool HasDigits(const Image& image, std::string_view hex) {
  // The CRI lists no digest if only a tag was recorded.  The evidence of a pull names it.
  const std::string& pulled = image.origin.pull_by;
  return HexOf(image.id.text()) == hex ||
         (!hex.empty() && pulled.ends_with(hex) && pulled.size() > hex.size() &&
          pulled[pulled.size() - hex.size() - 1] == ':') ||
         std::ranges::any_of(image.digests,
                             [&](const ImageName& name) { return HexOf(name.digest()) == hex; });
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
  if (const std::string why = WhyNotImagePattern(text); !why.empty())
    return Error{ErrorKind::kInvalid,
                 "\"" + std::string(text.substr(0, 64)) + "\" is not an image pattern: " + why};
  ImageGlob glob;
  glob.text_ = std::string(text);
  std::string_view rest = text;
  if (rest.starts_with("sha256:") || IsFullHexId(rest)) {
    glob.id_hex_ = std::string(HexOf(rest));
    return glob;
  }
  if (const auto at = rest.find('@'); at != std::string_view::npos) {
    glob.digest_ = std::string(rest.substr(at + 1));
    rest = rest.substr(0, at);
  }
  const auto slash = rest.rfind('/');
  const auto name_start = slash == std::string_view::npos ? 0 : slash + 1;
  if (const auto colon = rest.find(':', name_start); colon != std::string_view::npos) {
    glob.tag_ = std::string(rest.substr(colon + 1));
    rest = rest.substr(0, colon);
  }
  // As in a reference, a digest overrides the tag.  A wildcard tag is the same as no tag.
  if (!glob.digest_.empty() || glob.tag_ == "*" || glob.tag_ == "**") glob.tag_.clear();
  glob.repository_ = Qualify(rest);
  glob.folded_ = Fold(glob.repository_);
  glob.names_no_registry_ =
      SplitRepository(rest).registry.empty() && glob.repository_.size() > rest.size();
  if (glob.names_no_registry_ && !HasWildcard(rest)) glob.short_path_ = std::string(rest);
  if (!HasWildcard(glob.digest_)) glob.digits_ = std::string(HexOf(glob.digest_));
  // A runtime interprets any text that ends with a whole digest as this digest.
  if (glob.tag_.size() >= kFullHex && IsHex(glob.tag_)) glob.digits_ = glob.tag_;
  return glob;
}

bool ImageGlob::MatchesBehindRepository(const ImageName& name) const {
  if (!tag_.empty() && (name.tag().empty() || !GlobMatches(tag_, name.tag()))) return false;
  return digest_.empty() || (!name.digest().empty() && GlobMatches(digest_, name.digest()));
}

bool ImageGlob::Matches(const ImageName& name) const {
  return id_hex_.empty() && MatchesBehindRepository(name) &&
         GlobMatches(repository_, name.repository());
}

bool ImageGlob::MatchesId(const Image& image) const {
  return !id_hex_.empty() && HexOf(image.id.text()).starts_with(id_hex_);
}

bool ImageGlob::Matches(const Image& image) const {
  const auto matches = [this](const ImageName& name) { return Matches(name); };
  return MatchesId(image) || std::ranges::any_of(image.tags, matches) ||
         std::ranges::any_of(image.digests, matches);
}

bool ImageGlob::Keeps(const ImageName& name) const {
  if (!id_hex_.empty() || !MatchesBehindRepository(name)) return false;
  const auto repository = name.repository();
  if (GlobMatches(repository_, repository)) return true;
  if (!short_path_.empty() && EndsWithPath(repository, short_path_)) return true;
  const bool folded = IsFolded(repository);
  return (!folded || folded_ != repository_) &&
         GlobMatches(folded_, folded ? repository : Fold(repository));
}

bool ImageGlob::KeepsById(const Image& image) const {
  return MatchesId(image) || (!id_hex_.empty() && HasDigits(image, id_hex_)) ||
         (!digits_.empty() && HasDigits(image, digits_));
}

bool ImageGlob::Keeps(const Image& image) const {
  const auto keeps = [this](const ImageName& name) { return Keeps(name); };
  return KeepsById(image) || std::ranges::any_of(image.tags, keeps) ||
         std::ranges::any_of(image.digests, keeps);
}

}  // namespace imagesweep
