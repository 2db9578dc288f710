#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "agent/base/result.h"

namespace imagesweep {

struct HttpReply {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
};

// The agent's own endpoints.  GET and HEAD only, exact paths, nothing that changes anything.
// Handlers are called on the library's threads and must not block.  Stops in the destructor.
class HttpServer {
 public:
  // The query string as it came, without the question mark.
  using Handler = std::function<HttpReply(const std::string& query)>;

  virtual ~HttpServer() = default;

  // `address` is HOST:PORT or :PORT (every address).  kInvalid for another form, kUnavailable when
  // it cannot be listened on.
  static Result<std::unique_ptr<HttpServer>> Start(const std::string& address,
                                                   std::map<std::string, Handler> handlers);
};

}  // namespace imagesweep
