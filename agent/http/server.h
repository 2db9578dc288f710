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
  std::vector<std::pair<std::string, std::string>> headers = {};  // besides those of every reply
};

// What any number of clients, honest or not, may cost.  Over a limit the oldest connection goes, so
// that a probe gets its answer also while others hold theirs open.
struct HttpLimits {
  std::size_t connections = 64;
  std::size_t head_bytes = 16UL * 1024;          // request line and headers
  std::size_t reply_bytes = 16UL * 1024 * 1024;  // waiting to be sent, all clients together
  Millis head_time = std::chrono::seconds(5);    // from the connection to the end of its head
  Millis reply_time = std::chrono::seconds(30);  // from there until the reply is sent
  Millis hang_up_time = std::chrono::milliseconds(500);  // for the client to close, after that
};

// The agent's own endpoints.  GET and HEAD only, exact paths, one request for each connection,
// nothing that changes anything.  One thread of its own, on which handlers are called, so they must
// not block.  Stops in the destructor.
class HttpServer {
 public:
  // The query string as it came, without the question mark.
  using Handler = std::function<HttpReply(const std::string& query)>;
  struct Route {
    template <std::invocable<const std::string&> F>
    Route(F function, bool for_this_host = false)
        : handler(std::move(function)), local_only(for_this_host) {}

    Handler handler;
    // Only for this host: the client's address is a loopback one, and the name it asked for is no
    // DNS name but localhost (a page of somebody else in a browser here could have one that leads
    // to us).  Others get 403.
    bool local_only;
  };

  virtual ~HttpServer() = default;

  // `address` is HOST:PORT or :PORT (every address); an IPv6 HOST in brackets.  kInvalid for
  // another form, kUnavailable when it cannot be listened on.
  static Result<std::unique_ptr<HttpServer>> Start(const std::string& address,
                                                   std::map<std::string, Route> routes,
                                                   const HttpLimits& limits = {});
};

}  // namespace imagesweep
