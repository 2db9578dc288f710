#include "agent/model/image_name.h"

#include <algorithm>

namespace imagesweep {
namespace {

constexpr std::string_view kDefaultRegistry = "docker.io";
constexpr std::string_view kHubAlias = "index.docker.io";
constexpr std::string_view kOfficialPrefix = "library/";

bool IsLowerOrDigit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool IsPathText(std::string_view path) {
  return !path.empty() && std::ranges::all_of(path, [](char c) {
    return IsLowerOrDigit(c) || c == '.' || c == '_' || c == '-' || c == '/';
  });
}

bool IsTagText(std::string_view tag) {
  return !tag.empty() && tag.size() <= 128 && std::ranges::all_of(tag, [](char c) {
    return IsLowerOrDigit(c) || (c >= 'A' && c <= 'Z') || c == '_' || c == '.' || c == '-';
  });
}

// "sha256:…" and similar: algorithm, colon, at least 32 hexadecimal digits.
bool IsDigestText(std::string_view digest) {
  const auto colon = digest.find(':');
  if (colon == 0 || colon == std::string_view::npos) return false;
  const auto hex = digest.substr(colon + 1);
  return hex.size() >= 32 && std::ranges::all_of(hex, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
         });
}

bool IsRegistry(std::string_view first_component) {
  return first_component.find_first_of(".:") != std::string_view::npos ||
         first_component == "localhost" ||
         std::ranges::any_of(first_component, [](char c) { return c >= 'A' && c <= 'Z'; });
}

}  // namespace

ImageName ImageName::Parse(std::string_view text) {
  ImageName verbatim;
  verbatim.text_ = std::string(text);
  verbatim.repository_ = text.size();

  std::string_view rest = text;
  std::string_view digest;
  if (const auto at = rest.find('@'); at != std::string_view::npos) {
    digest = rest.substr(at + 1);
    rest = rest.substr(0, at);
    if (!IsDigestText(digest)) return verbatim;
  }
  std::string_view tag;
  const auto slash = rest.rfind('/');
  const auto name_start = slash == std::string_view::npos ? 0 : slash + 1;
  if (const auto colon = rest.find(':', name_start); colon != std::string_view::npos) {
    tag = rest.substr(colon + 1);
    rest = rest.substr(0, colon);
    if (!IsTagText(tag)) return verbatim;
  }
  const RepositoryParts parts = SplitRepository(rest);
  if (!IsPathText(parts.path)) return verbatim;

  ImageName name;
  name.unqualified_ = parts.registry.empty();
  name.text_ = JoinRepository(parts);
  name.repository_ = name.text_.size();
  name.short_path_ = name.repository_ - parts.path.size();
  if (!digest.empty()) {
    name.text_.append("@").append(digest);
  } else {
    name.text_.append(":").append(tag.empty() ? "latest" : tag);
  }
  return name;
}

ImageName ImageName::WithRepositoryAsWritten(std::string_view text) {
  const auto at = text.find('@');
  if (at == std::string_view::npos || !IsDigestText(text.substr(at + 1))) return Parse(text);
  ImageName name;
  name.text_ = std::string(text);
  name.repository_ = at;
  return name;
}

std::string_view ImageName::tag() const {
  if (repository_ >= text_.size() || text_[repository_] != ':') return {};
  return std::string_view(text_).substr(repository_ + 1);
}

std::string_view ImageName::digest() const {
  if (repository_ >= text_.size() || text_[repository_] != '@') return {};
  return std::string_view(text_).substr(repository_ + 1);
}

std::string_view ImageName::short_path() const {
  return std::string_view(text_).substr(short_path_, repository_ - short_path_);
}

bool IsFullHexId(std::string_view text) {
  return text.size() == 64 && IsHex(text);
}

bool IsHex(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
  });
}

RepositoryParts SplitRepository(std::string_view written) {
  const auto slash = written.find('/');
  if (slash == std::string_view::npos || !IsRegistry(written.substr(0, slash)))
    return {{}, written};
  return {written.substr(0, slash), written.substr(slash + 1)};
}

std::string JoinRepository(const RepositoryParts& parts) {
  const bool hub =
      parts.registry.empty() || parts.registry == kDefaultRegistry || parts.registry == kHubAlias;
  std::string joined;
  joined.reserve(parts.registry.size() + parts.path.size() + 24);
  joined.append(hub ? kDefaultRegistry : parts.registry).append("/");
  if (hub && parts.path.find('/') == std::string_view::npos) joined.append(kOfficialPrefix);
  return joined.append(parts.path);
}

}  // namespace imagesweep
