#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/base/clock.h"
#include "agent/base/result.h"

namespace imagesweep::docker {

struct HttpMessage {
  std::string_view method = "GET";
  std::string target;  // with the version: "/v1.41/images/json"
  std::string_view content_type = {};
  std::vector<std::pair<std::string, std::string>> headers = {};
  // Returns the next part of the body, and an empty text at the end. Empty function: no body.
  std::function<Result<std::string>()> next = {};
};

struct HttpAnswer {
  int status = 0;
  std::string api_version, server;  // the headers Api-Version and Server; empty: absent
  std::string body;                 // without what `take` got

  bool ok() const { return status >= 200 && status < 300; }
};

struct HttpLimits {
  std::optional<SteadyTime> deadline = {};  // for everything; empty: none
  std::size_t max_bytes = 0;                // of the body that is collected
};

// One request and its response over a connection of its own to the unix socket `path`. With `take`,
// the parts of the body of a successful response go there as they arrive, until it returns false.
// Ends at once at the deadline and at a stop. Errors: kUnavailable (no connection, or closed
// without an answer), kDenied, kDeadline, kCancelled, kIncomplete (not HTTP/1.1, cut off, or too
// long). Never throws. Any thread.
Result<HttpAnswer> Exchange(const std::string& path, const HttpMessage& message,
                            const HttpLimits& limits,
                            const std::function<bool(std::string_view)>& take,
                            const std::stop_token& stop);

}  // namespace imagesweep::docker
