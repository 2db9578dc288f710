#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "agent/base/clock.h"
#include "agent/base/result.h"
#include "agent/kube/client/http_transport.h"
#include "agent/kube/client/strict_json.h"

namespace imagesweep::kube {

// A failure as the API server reports it: a Status object (meta/v1), in a body or in the ERROR
// event of a watch.
struct ApiStatus {
  int code = 0;
  std::string reason;
  std::string message;
  std::optional<Millis> retry_after;

  // The resourceVersion is too old: 410, or the reason Expired (since 1.8) or Gone (before 1.8).
  bool expired() const;
  // The resourceVersion is ahead of this server. Servers have reported this in three ways: a cause
  // ResourceVersionTooLarge, a cause with the message "Too large resource version", and that
  // message without a cause (client-go, reflector.go isTooLargeResourceVersionError).
  bool too_large() const;
  bool throttled() const { return code == 429; }

  // For messages: "403 Forbidden: pods is forbidden: …".
  Error ToError() const;

 private:
  friend ApiStatus ReadStatus(const Json& status);
  bool too_large_cause_ = false;
};

// From a Status object. Any other object gives code 0.
ApiStatus ReadStatus(const Json& status);
// From an answer with a status other than 200. The body may be of any kind, for example the page of
// a proxy.
ApiStatus ReadStatus(const HttpResponse& response);

// The code of a finished request for metrics: "200", or the kind of the error.
std::string CodeOf(const Result<HttpResponse>& response);

}  // namespace imagesweep::kube
