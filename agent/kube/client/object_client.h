#pragma once

#include <stop_token>
#include <string>
#include <string_view>

#include "agent/kube/client/lister.h"

namespace imagesweep::kube {

// A client for single objects. It holds what all requests have in common. Thread-safe.
class ObjectClient {
 public:
  // `limit` is for each request.
  ObjectClient(HttpTransport& transport, RequestObserver observer,
               Millis limit = std::chrono::seconds(10));

  // Reads the object at `path`. kNotFound, kDenied, and so on come from the Status of the server.
  // `resource` is for metrics.
  Result<Json> Get(const std::string& path, std::string_view resource,
                   const std::stop_token& stop) const;
  // Sends a writing request and returns the object of the answer. A status of 300 and above is an
  // error. It is kIncomplete if the server has another version than the request states (409).
  Result<Json> Send(const HttpRequest& request, std::string_view verb, std::string_view resource,
                    const std::stop_token& stop) const;

 private:
  Result<Json> Read(Result<HttpResponse> response, std::string_view verb,
                    std::string_view resource) const;

  HttpTransport& transport_;
  const RequestObserver observer_;
  const Millis limit_;
};

}  // namespace imagesweep::kube
