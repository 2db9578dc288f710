#include "agent/runtime/cri/image_puller.h"

#include <array>
#include <initializer_list>
#include <utility>
#include <vector>

#include "agent/model/image_name.h"
#include "agent/runtime/cri/call.h"
#include "agent/runtime/cri/stubs.h"

namespace imagesweep::cri {
namespace {

bool HasOneOf(std::string_view text, std::initializer_list<std::string_view> parts) {
  for (const std::string_view part : parts)
    if (text.find(part) != std::string_view::npos) return true;
  return false;
}

// The message of the runtime, which it wraps several times, without the call and the code.
std::string_view Said(std::string_view what) {
  for (const std::string_view head : {"PullImage: UNKNOWN: ", "PullImage: NOT_FOUND: "})
    if (what.starts_with(head)) return what.substr(head.size());
  return what;
}

}  // namespace

Error ExplainPull(const std::string& reference, Error error) {
  if (error.kind == ErrorKind::kCancelled || error.kind == ErrorKind::kDeadline) return error;
  const std::string& what = error.what;
  const std::string registry(reference.substr(0, reference.find('/')));
  const std::string said = " (" + std::string(Said(what)) + ")";
  // A denial can also read "not found or may require authorization", so it is checked before
  // kNotFound.
  if (HasOneOf(what, {"429 Too Many Requests", "toomanyrequests", "TOOMANYREQUESTS"}))
    return {ErrorKind::kIncomplete,
            registry +
                " limits the rate of pulls; try again later, or pass credentials with "
                "--pull-secret" +
                said};
  if (HasOneOf(what, {"401 Unauthorized", "403 Forbidden", "authorization failed", "access denied",
                      "no basic auth credentials", "authentication required", "insufficient_scope",
                      "failed to authorize", "unauthorized"}))
    return {ErrorKind::kDenied,
            registry + " denied access; pass credentials with --pull-secret" + said};
  if (error.kind == ErrorKind::kNotFound ||
      HasOneOf(what, {"404 Not Found", "manifest unknown", "MANIFEST_UNKNOWN", "name unknown",
                      "NAME_UNKNOWN", ": not found"}))
    return {ErrorKind::kNotFound, registry + " no longer has the image" + said};
  if (HasOneOf(what, {"dial tcp", "no such host", "connection refused", "i/o timeout",
                      "TLS handshake", "x509:", "connection reset", "failed to do request",
                      "server gave HTTP response", "no route to host"}))
    return {ErrorKind::kUnavailable, registry + " cannot be reached from this node" + said};
  if (HasOneOf(what, {"500 Internal Server Error", "502 Bad Gateway", "503 Service Unavailable",
                      "504 Gateway Timeout"}))
    return {ErrorKind::kUnavailable, registry + " reported a server error; try again later" + said};
  return error;
}

ImagePuller::ImagePuller(std::shared_ptr<Connection> connection, Millis timeout, PullSecret secret)
    : connection_(std::move(connection)), timeout_(timeout), secret_(std::move(secret)) {}

Status ImagePuller::Pull(const std::string& reference, const std::stop_token& stop) const {
  const std::vector<Credential> credentials = secret_.For(ImageName::Parse(reference).repository());
  if (credentials.empty()) return PullWith(reference, nullptr, stop);
  Status pulled = Done{};
  for (const Credential& credential : credentials) {
    pulled = PullWith(reference, &credential, stop);
    if (pulled || pulled.error().kind != ErrorKind::kDenied) break;
  }
  return pulled;
}

Status ImagePuller::PullWith(const std::string& reference, const Credential* credential,
                             const std::stop_token& stop) const {
  v1::PullImageRequest request;
  request.mutable_image()->set_image(reference);
  if (credential != nullptr) {
    request.mutable_auth()->set_username(credential->username);
    request.mutable_auth()->set_password(credential->password);
    request.mutable_auth()->set_identity_token(credential->identity_token);
  }
  const Calls calls(*connection_, timeout_, stop);
  auto reply = calls.UnaryCall("PullImage", *connection_->stubs().images,
                               &v1::ImageService::Stub::PullImage, request);
  if (!reply) return ExplainPull(reference, std::move(reply).error());
  return Done{};
}

}  // namespace imagesweep::cri
