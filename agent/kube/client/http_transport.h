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

// The part of the body of a refusal that is kept. No Status object is larger, but the page of a
// proxy may be.
inline constexpr std::size_t kMostRefusal = 64U << 10;

struct HttpResponse {
  int status = 0;
  std::optional<Millis> retry_after;  // Retry-After in seconds; a date is ignored
  std::string body;  // with a status of 300 and above, only the first kMostRefusal bytes
};

// A complete request. A request may arrive twice, because it is sent again if a kept connection
// turns out to be dead. So it must be harmless to repeat: objects by name, updates with their
// resourceVersion.
struct HttpRequest {
  std::string method;  // "POST", "PUT", "PATCH", "DELETE"
  std::string path;
  std::string content_type = "application/json";
  std::string body;
};

// The only interface to HTTP. Only one .cpp behind it includes cpprestsdk, so replacing that
// library takes one file and its test. Thread-safe. An error means that no complete answer arrived.
// An answer with a status of 400 and above is a value.
class HttpTransport {
 public:
  virtual ~HttpTransport() = default;

  // Reads a complete answer within `limit`. A body larger than the cap of the transport is
  // kIncomplete. It is never cut.
  virtual Result<HttpResponse> Get(const std::string& path, Millis limit,
                                   const std::stop_token& stop) = 0;

  using OnData = std::function<bool(std::string_view piece)>;
  // As Get, but passes the body of a 200 to `on_data` in pieces as they arrive, with no limit on
  // its size. If `on_data` returns false, the transfer ends. An error may follow some pieces. The
  // default passes one piece.
  virtual Result<HttpResponse> Fetch(const std::string& path, Millis limit,
                                     const std::stop_token& stop, const OnData& on_data) {
    auto response = Get(path, limit, stop);
    if (response && response->status == 200) on_data(std::exchange(response->body, {}));
    return response;
  }

  // As Get.
  virtual Result<HttpResponse> Send(const HttpRequest& request, Millis limit,
                                    const std::stop_token& stop) = 0;

  // Passes the body of a 200 to `on_data` in pieces as they arrive. If `on_data` returns false, the
  // stream ends. `on_open` is called when the 200 has arrived. Returns when the server ends the
  // answer; for any other status, with its body. kDeadline if nothing arrived for `idle`,
  // kUnavailable if the connection broke, kCancelled on stop.
  using OnOpen = std::function<void()>;
  virtual Result<HttpResponse> Stream(const std::string& path, Millis idle,
                                      const std::stop_token& stop, const OnOpen& on_open,
                                      const OnData& on_data) = 0;
};

// Limits the thread pool of cpprestsdk, which has forty threads by default. Call it once, before
// the first request.
void InitHttp(int threads);

}  // namespace imagesweep::kube
