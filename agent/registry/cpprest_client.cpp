#include <cpprest/containerstream.h>
#include <cpprest/http_client.h>

#include <functional>

#include "agent/registry/http_client.h"

namespace imagesweep::registry {
namespace {

namespace http = web::http;

constexpr std::size_t kMaxBody = std::size_t{1} << 20;
constexpr std::size_t kMostDrained = std::size_t{64} << 20;
constexpr std::size_t kPiece = std::size_t{64} << 10;

std::string Header(const http::http_headers& headers, const char* name) {
  const auto found = headers.find(name);
  return found == headers.end() ? std::string() : found->second;
}

// Reads the rest of a body that is too large, and drops it.  False: there is still more.
// cpprestsdk crashes if a connection is closed while one of its threads begins to read from it
// (cpprestsdk#1547), so a request is not cancelled within its body if that can be avoided.
bool Drain(const http::http_response& answer) {
  for (std::size_t size = 0; size < kMostDrained;) {
    concurrency::streams::container_buffer<std::string> dropped;
    const std::size_t got = answer.body().read(dropped, kPiece).get();
    if (got == 0) return true;
    size += got;
  }
  return false;
}

class CpprestClient final : public HttpClient {
 public:
  Result<HttpReply> Send(const HttpRequest& request, Millis limit,
                         const std::stop_token& stop) override {
    pplx::cancellation_token_source cancel;
    const std::stop_callback on_stop(stop, [&cancel] { cancel.cancel(); });
    try {
      const web::uri url(request.url);
      http::client::http_client_config config;
      config.set_timeout(limit);
      config.set_validate_certificates(true);
      config.set_max_redirects(0);  // credentials are only for the registry in the image name
      http::client::http_client client(url.authority(), config);
      http::http_request question(request.method);
      question.set_request_uri(url.resource());
      question.headers().add("User-Agent", "imagesweep");
      for (const auto& [name, value] : request.headers) question.headers().add(name, value);
      http::http_response answer = client.request(question, cancel.get_token()).get();
      HttpReply reply;
      reply.status = answer.status_code();
      reply.www_authenticate = Header(answer.headers(), "WWW-Authenticate");
      reply.content_digest = Header(answer.headers(), "Docker-Content-Digest");
      if (request.method != "HEAD") {
        concurrency::streams::container_buffer<std::string> body;
        // read() returns at most the requested number of bytes, but grows the buffer to that
        // number.
        std::size_t size = 0;
        for (std::size_t got = 1; got > 0 && size <= kMaxBody; size += got)
          got = answer.body().read(body, kMaxBody + 1 - size).get();
        if (size > kMaxBody) {
          if (!Drain(answer)) cancel.cancel();
          return Error{ErrorKind::kIncomplete, "the response is larger than 1 MiB"};
        }
        reply.body = std::move(body.collection());
        reply.body.resize(size);
      }
      return reply;
    } catch (const std::exception& error) {
      if (stop.stop_requested()) return Error{ErrorKind::kCancelled, "shutting down"};
      return Error{ErrorKind::kUnavailable, error.what()};
    }
  }
};

}  // namespace

std::unique_ptr<HttpClient> MakeHttpClient() {
  return std::make_unique<CpprestClient>();
}

}  // namespace imagesweep::registry
