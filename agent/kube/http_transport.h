#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

#include "agent/base/clock.h"
#include "agent/base/result.h"

namespace imagesweep::kube {

// So much of the body of a refusal is kept: no Status object has more, and a proxy's page may.
inline constexpr std::size_t kMostRefusal = 64U << 10;

struct HttpResponse {
  int status = 0;
  std::optional<Millis> retry_after;  // Retry-After in seconds; a date is taken as not given
  std::string body;                   // with a status of 300 and above its first kMostRefusal bytes
};

// A request in full.  What it writes must be harmless when it arrives twice (objects by name,
// updates with their resourceVersion): it is sent again when a kept connection turns out dead.
struct HttpRequest {
  std::string method;  // "POST", "PUT", "PATCH", "DELETE"
  std::string path;
  std::string content_type = "application/json";
  std::string body;
};

// The only door to HTTP.  One .cpp behind it includes cpprestsdk; replacing that library is one
// file and its test.  Any thread.  An error means that no complete answer came; an answer with a
// status of 400 and above is a value.
class HttpTransport {
 public:
  virtual ~HttpTransport() = default;

  // A whole answer within `limit`.  A body larger than the transport's cap is kIncomplete, never
  // cut.
  virtual Result<HttpResponse> Get(const std::string& path, Millis limit,
                                   const std::stop_token& stop) = 0;

  using OnData = std::function<bool(std::string_view piece)>;
  // As Get, but hands over the body of a 200 in pieces as they come, however large it is; false
  // from `on_data` ends it.  An error may come after some pieces.  By default in one piece.
  virtual Result<HttpResponse> Fetch(const std::string& path, Millis limit,
                                     const std::stop_token& stop, const OnData& on_data) {
    auto response = Get(path, limit, stop);
    if (response && response->status == 200) on_data(std::exchange(response->body, {}));
    return response;
  }

  // As Get.
  virtual Result<HttpResponse> Send(const HttpRequest& request, Millis limit,
                                    const std::stop_token& stop) = 0;

  // Hands over the body of a 200 in pieces as they come; false from `on_data` ends it.  `on_open`
  // is called when the 200 is there.  Returns when the server has ended the answer; for any other
  // status with its body.  kDeadline when nothing came for `idle`; kUnavailable when the connection
  // broke; kCancelled on stop.
  using OnOpen = std::function<void()>;
  virtual Result<HttpResponse> Stream(const std::string& path, Millis idle,
                                      const std::stop_token& stop, const OnOpen& on_open,
                                      const OnData& on_data) = 0;
};

// Limits cpprestsdk's thread pool, which starts forty otherwise.  Once, before the first request.
void InitHttp(int threads);

}  // namespace imagesweep::kube
