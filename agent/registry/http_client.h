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
  std::string www_authenticate;  // empty: the header is not there
  std::string content_digest;    // Docker-Content-Digest
  std::string body;              // empty for HEAD
};

// Requests to any registry.  Any thread.  An error means that no complete answer came; an answer
// with a status of 400 and above is a value.  Redirects are not followed.
class HttpClient {
 public:
  virtual ~HttpClient() = default;
  // A body of more than 1 MiB is kIncomplete.
  virtual Result<HttpReply> Send(const HttpRequest& request, Millis limit,
                                 const std::stop_token& stop) = 0;
};

// By cpprestsdk.  TLS is verified against the certificates that OpenSSL takes by default
// (SSL_CERT_FILE, SSL_CERT_DIR).
std::unique_ptr<HttpClient> MakeHttpClient();

}  // namespace imagesweep::registry
