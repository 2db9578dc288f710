#pragma once

#include <memory>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "agent/base/clock.h"
#include "agent/base/result.h"

namespace imagesweep::registry {

struct HttpRequest {
  std::string method;  // "HEAD", "GET"
  std::string url;     // whole: "https://registry.example/v2/…"
  std::vector<std::pair<std::string, std::string>> headers;
};

struct HttpReply {
  int status = 0;
  std::string www_authenticate;  // empty: no such header
  std::string content_digest;    // Docker-Content-Digest
  std::string body;              // empty for HEAD
};

// Sends requests to any registry.  Any thread.  An error means that there is no complete response.
// A response with a status of 400 or above is a value.  Does not follow redirects.
class HttpClient {
 public:
  virtual ~HttpClient() = default;
  // A body of more than 1 MiB is kIncomplete.
  virtual Result<HttpReply> Send(const HttpRequest& request, Millis limit,
                                 const std::stop_token& stop) = 0;
};

// Implemented with cpprestsdk.  Verifies TLS with the default certificates of OpenSSL
// (SSL_CERT_FILE, SSL_CERT_DIR).
std::unique_ptr<HttpClient> MakeHttpClient();

}  // namespace imagesweep::registry
