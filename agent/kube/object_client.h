#pragma once

#include <stop_token>
#include <string>
#include <string_view>

#include "agent/kube/lister.h"

namespace imagesweep::kube {

// A client for single objects: what every request of ours has in common.  Any thread.
class ObjectClient {
 public:
  // `limit`: for each request.
  ObjectClient(HttpTransport& transport, RequestObserver observer,
               Millis limit = std::chrono::seconds(10));

  // The object at `path`; kNotFound, kDenied … from the server's Status.  `resource`: for metrics.
  Result<Json> Get(const std::string& path, std::string_view resource,
                   const std::stop_token& stop) const;
  // Any writing request.  The answer's object; a status of 300 and above is an error, of kind
  // kIncomplete when the server holds another version than the request names (409).
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
