#include "agent/kube/client/object_client.h"

#include <utility>

namespace imagesweep::kube {
namespace {

constexpr int kConflict = 409;

}  // namespace

ObjectClient::ObjectClient(HttpTransport& transport, RequestObserver observer, Millis limit)
    : transport_(transport), observer_(std::move(observer)), limit_(limit) {}

Result<Json> ObjectClient::Get(const std::string& path, std::string_view resource,
                               const std::stop_token& stop) const {
  return Read(transport_.Get(path, limit_, stop), "get", resource);
}

Result<Json> ObjectClient::Send(const HttpRequest& request, std::string_view verb,
                                std::string_view resource, const std::stop_token& stop) const {
  return Read(transport_.Send(request, limit_, stop), verb, resource);
}

Result<Json> ObjectClient::Read(Result<HttpResponse> response, std::string_view verb,
                                std::string_view resource) const {
  if (observer_) observer_(verb, resource, CodeOf(response));
  if (!response) return std::move(response).error();
  if (response->status / 100 != 2) {
    Error error = ReadStatus(*response).ToError();
    if (response->status == kConflict) error.kind = ErrorKind::kIncomplete;
    return error;
  }
  auto json = ParseStrict(response->body);
  if (json && !json->is_object())
    return Error{ErrorKind::kIncomplete, "the answer is not a JSON object"};
  return json;
}

}  // namespace imagesweep::kube
