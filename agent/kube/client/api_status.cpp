#include "agent/kube/client/api_status.h"

#include <algorithm>
#include <cstdint>

#include "agent/base/printable_ascii.h"

namespace imagesweep::kube {
namespace {

constexpr const char* kTooLarge = "Too large resource version";

ErrorKind KindOf(int code) {
  switch (code) {
    case 401:
    case 403:
      return ErrorKind::kDenied;
    case 404:
      return ErrorKind::kNotFound;
    case 400:
    case 422:
      return ErrorKind::kInvalid;
    case 504:
      return ErrorKind::kDeadline;
    default:
      return code >= 500 || code == 429 ? ErrorKind::kUnavailable : ErrorKind::kInternal;
  }
}

std::string TextOr(const Json& object, const char* key) {
  const auto it = object.find(key);
  return it != object.end() && it->is_string() ? it->get<std::string>() : std::string();
}

}  // namespace

bool ApiStatus::expired() const {
  return code == 410 || reason == "Expired" || reason == "Gone";
}

bool ApiStatus::too_large() const {
  return too_large_cause_ || message.find(kTooLarge) != std::string::npos;
}

Error ApiStatus::ToError() const {
  std::string what = "the API server answered " + std::to_string(code);
  if (!reason.empty()) what += " " + PrintableAscii(reason);
  if (!message.empty()) what += ": " + PrintableAscii(message);
  if (code == 401) what += " (is the token or client certificate still valid?)";
  if (code == 403) what += " (grant it in the role of this user or service account)";
  return {KindOf(code), what};
}

ApiStatus ReadStatus(const Json& status) {
  ApiStatus read;
  if (!status.is_object()) return read;
  if (const auto it = status.find("code"); it != status.end() && it->is_number_integer())
    read.code = it->get<int>();
  read.reason = TextOr(status, "reason");
  read.message = TextOr(status, "message");
  const auto details = status.find("details");
  if (details == status.end() || !details->is_object()) return read;
  if (const auto it = details->find("retryAfterSeconds");
      it != details->end() && it->is_number_integer())
    read.retry_after =
        std::chrono::seconds(std::clamp<std::int64_t>(it->get<std::int64_t>(), 0, 3600));
  const auto causes = details->find("causes");
  if (causes == details->end() || !causes->is_array()) return read;
  for (const Json& cause : *causes)
    if (cause.is_object() && (TextOr(cause, "reason") == "ResourceVersionTooLarge" ||
                              TextOr(cause, "message") == kTooLarge))
      read.too_large_cause_ = true;
  return read;
}

ApiStatus ReadStatus(const HttpResponse& response) {
  ApiStatus read;
  if (auto json = ParseStrict(response.body)) read = ReadStatus(*json);
  if (read.code == 0 && read.message.empty()) read.message = response.body.substr(0, 1000);
  read.code = response.status;
  if (response.retry_after) read.retry_after = response.retry_after;
  return read;
}

std::string CodeOf(const Result<HttpResponse>& response) {
  return response ? std::to_string(response->status) : std::string(ToString(response.error().kind));
}

}  // namespace imagesweep::kube
