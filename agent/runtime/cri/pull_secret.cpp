#include "agent/runtime/cri/pull_secret.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <nlohmann/json.hpp>

namespace imagesweep::cri {
namespace {

using nlohmann::json;

std::optional<std::string> FromBase64(std::string_view text) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  while (text.ends_with('=')) text.remove_suffix(1);
  std::string bytes;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const auto digit = kDigits.find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    bits = (bits << 6) | static_cast<std::uint32_t>(digit);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes += static_cast<char>((bits >> count) & 0xFF);
  }
  return bytes;
}

std::string_view WithoutScheme(std::string_view key) {
  for (const std::string_view scheme : {"https://", "http://"})
    if (key.starts_with(scheme)) return key.substr(scheme.size());
  return key;
}

std::string OneHost(std::string_view host) {
  const bool hub = host == "index.docker.io" || host == "registry-1.docker.io";
  return std::string(hub ? "docker.io" : host);
}

// Matches `*` within one label of a host name.
bool LabelMatches(std::string_view pattern, std::string_view label) {
  const auto star = pattern.find('*');
  if (star == std::string_view::npos) return pattern == label;
  const auto before = pattern.substr(0, star);
  const auto after = pattern.substr(star + 1);
  if (label.size() < before.size() || !label.starts_with(before)) return false;
  label.remove_prefix(before.size());
  for (std::size_t skip = 0; skip <= label.size(); ++skip)
    if (LabelMatches(after, label.substr(skip))) return true;
  return false;
}

bool HostMatches(std::string_view pattern, std::string_view host) {
  while (true) {
    const auto pattern_dot = pattern.find('.');
    const auto host_dot = host.find('.');
    if (!LabelMatches(pattern.substr(0, pattern_dot), host.substr(0, host_dot))) return false;
    const bool last = pattern_dot == std::string_view::npos;
    if (last || host_dot == std::string_view::npos) return last && host_dot == pattern_dot;
    pattern.remove_prefix(pattern_dot + 1);
    host.remove_prefix(host_dot + 1);
  }
}

Result<std::string> Text(const json& entry, const char* key) {
  const auto found = entry.find(key);
  if (found == entry.end() || found->is_null()) return std::string();
  if (!found->is_string()) return Error{ErrorKind::kInvalid, std::string(key) + " is not a string"};
  return found->get<std::string>();
}

Result<Credential> ReadCredential(const json& entry) {
  if (!entry.is_object()) return Error{ErrorKind::kInvalid, "not a JSON object"};
  const std::array<const char*, 4> keys{"username", "password", "identitytoken", "auth"};
  std::array<std::string, 4> values;
  for (std::size_t at = 0; at < keys.size(); ++at) {
    auto text = Text(entry, keys[at]);
    if (!text) return text.error();
    values[at] = *std::move(text);
  }
  Credential credential{values[0], values[1], values[2]};
  if (!values[3].empty()) {
    const auto plain = FromBase64(values[3]);
    const auto colon = plain ? plain->find(':') : std::string::npos;
    if (colon == std::string::npos)
      return Error{ErrorKind::kInvalid, "auth is not the base64 of USERNAME:PASSWORD"};
    credential.username = plain->substr(0, colon);
    // Docker appends NULs (docker/cli, cli/config/configfile, decodeAuth).
    credential.password = plain->substr(colon + 1);
    while (credential.password.ends_with('\0')) credential.password.pop_back();
  }
  if (credential.username.empty() && credential.identity_token.empty())
    return Error{ErrorKind::kInvalid,
                 "auth, username and password, and identitytoken "
                 "are all missing"};
  return credential;
}

}  // namespace

Result<PullSecret> PullSecret::Parse(std::string_view text) {
  const json root = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!root.is_object()) return Error{ErrorKind::kInvalid, "not a JSON object"};
  const auto auths = root.find("auths");
  if (auths == root.end() || !auths->is_object())
    return Error{ErrorKind::kInvalid,
                 "\"auths\" is missing; use a file of type dockerconfigjson, such as "
                 "~/.docker/config.json"};
  PullSecret secret;
  for (const auto& [key, value] : auths->items()) {
    auto credential = ReadCredential(value);
    if (!credential) return credential.error().Wrap("the entry for \"" + key + "\"");
    const std::string_view address = WithoutScheme(key);
    const auto slash = std::min(address.find('/'), address.size());
    std::string path(address.substr(slash));
    // The addresses of the API of a registry, as docker login writes them.
    for (const char* version : {"/v1/", "/v2/"})
      if ((path + "/").starts_with(version)) path.erase(0, 3);
    while (path.ends_with('/')) path.pop_back();
    secret.entries_.push_back(
        {OneHost(address.substr(0, slash)), std::move(path), *std::move(credential)});
  }
  std::ranges::stable_sort(secret.entries_, [](const Entry& one, const Entry& other) {
    return one.path.size() > other.path.size();
  });
  return secret;
}

std::vector<Credential> PullSecret::For(std::string_view repository) const {
  const auto slash = std::min(repository.find('/'), repository.size());
  const std::string host = OneHost(repository.substr(0, slash));
  const std::string_view path = repository.substr(slash);
  std::vector<Credential> found;
  for (const Entry& entry : entries_)
    if (HostMatches(entry.host, host) && path.starts_with(entry.path))
      found.push_back(entry.credential);
  return found;
}

}  // namespace imagesweep::cri
