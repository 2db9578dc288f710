#include "agent/registry/manifest_verifier.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "agent/base/codec.h"
#include "agent/model/image_name.h"
#include "agent/registry/challenge.h"

namespace imagesweep::registry {
namespace {

// Every type of manifest that a registry may have for an image.
constexpr const char* kAccept =
    "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, "
    "application/vnd.docker.distribution.manifest.list.v2+json, "
    "application/vnd.docker.distribution.manifest.v2+json";

bool IsThisHost(std::string_view host) {
  if (host.starts_with("[::1]")) return true;
  host = host.substr(0, host.find(':'));
  return host == "localhost" || (host.starts_with("127.") && std::ranges::all_of(host, [](char c) {
                                   return c == '.' || (c >= '0' && c <= '9');
                                 }));
}

std::string_view HostOf(std::string_view url) {
  url.remove_prefix(url.find("://") + 3);
  return url.substr(0, url.find('/'));
}

std::string Base64(std::string_view bytes) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - at);
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < 3; ++i)
      bits = (bits << 8) | (i < count ? static_cast<unsigned char>(bytes[at + i]) : 0U);
    for (std::size_t i = 0; i < 4; ++i)
      text += i <= count ? kDigits[(bits >> (18 - 6 * i)) & 63] : '=';
  }
  return text;
}

std::string BasicHeader(const Login& login) {
  return "Basic " + Base64(login.username + ":" + login.password);
}

Error WhyNot(const std::string& host, int status) {
  const std::string code = " (" + std::to_string(status) + ")";
  if (status == 404) return {ErrorKind::kNotFound, host + " does not have it" + code};
  if (status == 401 || status == 403)
    return {ErrorKind::kDenied, host + " rejects the credentials; pass --pull-secret" + code};
  if (status == 429) return {ErrorKind::kUnavailable, host + " limits the rate of requests" + code};
  return {ErrorKind::kUnavailable, host + " returned an unexpected status" + code};
}

}  // namespace

// A manifest and its location.
struct ManifestVerifier::Target {
  std::string host;        // as in the name of the image
  std::string url;         // of the manifest
  std::string path;        // of the repository in its registry
  std::string repository;  // with the registry
  std::string digest;
};

ManifestVerifier::ManifestVerifier(HttpClient& client, Logins logins, Millis limit)
    : client_(client), logins_(std::move(logins)), limit_(limit) {}

Result<Origin> ManifestVerifier::Verify(const Image& image, const std::stop_token& stop) {
  if (image.origin.pull_by.empty())
    return Error{ErrorKind::kNotFound,
                 "no evidence that a registry has it: " + image.origin.evidence};
  const ImageName name = ImageName::Parse(image.origin.pull_by);
  // A removal deletes all names, so each repository of the image must have the manifest.
  std::vector<std::string> repositories{std::string(name.repository())};
  for (const ImageName& tag : image.tags)
    if (std::ranges::find(repositories, tag.repository()) == repositories.end())
      repositories.emplace_back(tag.repository());
  for (const std::string& repository : repositories)
    if (auto has = Has(repository, std::string(name.digest()), stop); !has)
      return std::move(has).error();
  return Origin{OriginKind::kRegistry, "its registry has " + image.origin.pull_by,
                image.origin.pull_by};
}

Status ManifestVerifier::Has(const std::string& repository, const std::string& digest,
                             const std::stop_token& stop) {
  const auto slash = repository.find('/');
  if (digest.empty() || slash == std::string::npos)
    return Error{ErrorKind::kInvalid,
                 repository + "@" + digest + " is not a repository with a digest"};
  Target target;
  target.host = repository.substr(0, slash);
  target.path = repository.substr(slash + 1);
  target.repository = repository;
  target.digest = digest;
  const std::string server = target.host == "docker.io" ? "registry-1.docker.io" : target.host;
  target.url = (IsThisHost(server) ? "http://" : "https://") + server + "/v2/" + target.path +
               "/manifests/" + target.digest;
  std::vector<Login> logins = logins_ ? logins_(repository) : std::vector<Login>();
  int status = 0;
  for (std::size_t i = 0; i <= logins.size(); ++i) {
    const auto reply = Send(target, i < logins.size() ? &logins[i] : nullptr, stop);
    if (!reply) return reply.error().Wrap(target.host);
    status = reply->status;
    if (status == 200) {
      // The page of a portal or a proxy may also be a 200.  Only the digest confirms the manifest.
      if (reply->content_digest != target.digest)
        return Error{ErrorKind::kIncomplete,
                     target.host + " did not confirm the digest (" +
                         (reply->content_digest.empty() ? "no Docker-Content-Digest"
                                                        : reply->content_digest) +
                         ")"};
      return Done{};
    }
    if (status != 401 && status != 403) break;
  }
  return WhyNot(target.host, status);
}

Result<HttpReply> ManifestVerifier::Send(const Target& target, const Login* login,
                                         const std::stop_token& stop) {
  HttpRequest request{"HEAD", target.url, {{"Accept", kAccept}}};
  auto reply = client_.Send(request, limit_, stop);
  if (!reply || reply->status != 401) return reply;
  const auto challenge = ParseChallenge(reply->www_authenticate);
  if (!challenge) return reply;
  if (challenge->bearer) {
    const auto token = Token(target, reply->www_authenticate, login, stop);
    if (!token) return token.error();
    if (token->empty()) return reply;
    request.headers.emplace_back("Authorization", "Bearer " + *token);
  } else {
    if (login == nullptr) return reply;
    request.headers.emplace_back("Authorization", BasicHeader(*login));
  }
  return client_.Send(request, limit_, stop);
}

// Empty: the token service rejects this login.
Result<std::string> ManifestVerifier::Token(const Target& target, const std::string& header,
                                            const Login* login, const std::stop_token& stop) {
  const auto challenge = ParseChallenge(header);
  const bool by_https = challenge->realm.starts_with("https://");
  if (!by_https &&
      !(challenge->realm.starts_with("http://") && IsThisHost(HostOf(challenge->realm))))
    return Error{ErrorKind::kInvalid,
                 "its token service does not use HTTPS: \"" + challenge->realm + "\""};
  std::string url =
      challenge->realm + (challenge->realm.find('?') == std::string::npos ? '?' : '&');
  // Only to pull, even if the challenge demands more.
  url += "scope=" + UrlEncoded("repository:" + target.path + ":pull");
  if (!challenge->service.empty()) url += "&service=" + UrlEncoded(challenge->service);
  HttpRequest request{"GET", url, {{"Accept", "application/json"}}};
  if (login != nullptr) request.headers.emplace_back("Authorization", BasicHeader(*login));
  const auto reply = client_.Send(request, limit_, stop);
  if (!reply) return reply.error().Wrap("its token service");
  if (reply->status == 401 || reply->status == 403) return std::string();
  if (reply->status != 200)
    return Error{ErrorKind::kUnavailable,
                 "its token service returned status " + std::to_string(reply->status)};
  const auto root = nlohmann::json::parse(reply->body, nullptr, /*allow_exceptions=*/false);
  for (const char* key : {"token", "access_token"})
    if (root.is_object() && root.contains(key) && root[key].is_string() &&
        !root[key].get_ref<const std::string&>().empty())
      return root[key].get<std::string>();
  return Error{ErrorKind::kIncomplete, "its token service returned no token"};
}

}  // namespace imagesweep::registry
