#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "agent/base/clock.h"
#include "agent/base/result.h"
#include "agent/kube/http_transport.h"
#include "agent/kube/strict_json.h"

namespace imagesweep::kube {

// A failure as the API server tells it: a Status object (meta/v1), in a body or in a watch's ERROR
// event.
struct ApiStatus {
  int code = 0;
  std::string reason;
  std::string message;
  std::optional<Millis> retry_after;

  // 410, or reasons Expired (since 1.8) and Gone (before): the resourceVersion is too old.
  bool expired() const;
  // The resourceVersion is ahead of this server.  Three spellings over time: a cause
  // ResourceVersionTooLarge, a cause with the message "Too large resource version", and that
  // message without a cause (client-go, reflector.go isTooLargeResourceVersionError).
  bool too_large() const;
  bool throttled() const { return code == 429; }

  // For people: "403 Forbidden: pods is forbidden: …".
  Error ToError() const;

 private:
  friend ApiStatus ReadStatus(const Json& status);
  bool too_large_cause_ = false;
};

// From a Status object; an object that is none gives code 0.
ApiStatus ReadStatus(const Json& status);
// From an answer with a status other than 200, whatever its body is (a proxy's page, for one).
ApiStatus ReadStatus(const HttpResponse& response);

// Of a finished request, for metrics: "200", or the kind of error.
std::string CodeOf(const Result<HttpResponse>& response);

}  // namespace imagesweep::kube
