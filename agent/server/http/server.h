#pragma once

#include <concepts>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "agent/base/clock.h"
#include "agent/base/result.h"

namespace imagesweep {

struct HttpReply {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers = {};  // added to those of every reply
};

// Limits the cost of all clients together.  Above a limit, the oldest connection is closed, so that
// probes get answers while other clients keep connections open.
struct HttpLimits {
  std::size_t connections = 64;
  std::size_t head_bytes = 16UL * 1024;          // request line and headers
  std::size_t reply_bytes = 16UL * 1024 * 1024;  // waiting to be sent, all clients together
  Millis head_time = std::chrono::seconds(5);    // from the connection to the end of its head
  Millis reply_time = std::chrono::seconds(30);  // from then until the reply is sent
  Millis hang_up_time = std::chrono::milliseconds(500);  // from then until the client closes
};

// The endpoints of the agent.  Only GET and HEAD, exact paths, one request per connection,
// read-only.  Calls handlers on its own thread, so they must not block.  Stops in the destructor.
class HttpServer {
 public:
  // The query string as received, without the question mark.
  using Handler = std::function<HttpReply(const std::string& query)>;
  struct Route {
    template <std::invocable<const std::string&> F>
    Route(F function, bool for_this_host = false)
        : handler(std::move(function)), local_only(for_this_host) {}

    Handler handler;
    // Only for this host: the client has a loopback address, and its Host header is not a DNS name
    // except localhost (DNS rebinding by a web page in a local browser).  Other clients get 403.
    bool local_only;
  };

  virtual ~HttpServer() = default;

  // `address` is HOST:PORT or :PORT (every address); an IPv6 HOST in brackets.  kInvalid: another
  // form; kUnavailable: cannot listen on it.
  static Result<std::unique_ptr<HttpServer>> Start(const std::string& address,
                                                   std::map<std::string, Route> routes,
                                                   const HttpLimits& limits = {});
};

}  // namespace imagesweep
