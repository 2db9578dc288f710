#include "agent/http/server.h"

#include <cpprest/http_listener.h>

#include <utility>

namespace imagesweep {
namespace {

using web::http::http_request;
using web::http::experimental::listener::http_listener;

// ":8080" -> "http://0.0.0.0:8080"; empty for what is not HOST:PORT.
std::string UrlOf(const std::string& address) {
  const auto colon = address.rfind(':');
  if (colon == std::string::npos) return {};
  const std::string host = colon == 0 ? "0.0.0.0" : address.substr(0, colon);
  const std::string port = address.substr(colon + 1);
  if (port.empty() || port.size() > 5 ||
      port.find_first_not_of("0123456789") != std::string::npos || std::stoi(port) > 65535)
    return {};
  return "http://" + host + ":" + port;
}

class CpprestServer final : public HttpServer {
 public:
  CpprestServer(const std::string& url, std::map<std::string, Handler> handlers)
      : handlers_(std::move(handlers)), listener_(web::uri(url)) {
    listener_.support([this](const http_request& request) { Serve(request); });
  }
  ~CpprestServer() override {
    try {
      listener_.close().wait();
    } catch (const std::exception&) {
      // It is going away in any case.
    }
  }
  void Open() { listener_.open().wait(); }

 private:
  void Serve(const http_request& request) const {
    HttpReply reply;
    const auto handler = handlers_.find(request.relative_uri().path());
    if (request.method() != web::http::methods::GET &&
        request.method() != web::http::methods::HEAD) {
      reply = {405, "text/plain; charset=utf-8", "only GET and HEAD\n"};
    } else if (handler == handlers_.end()) {
      reply = {404, "text/plain; charset=utf-8", "no such page\n"};
    } else {
      reply = handler->second(request.relative_uri().query());
    }
    web::http::http_response response(static_cast<web::http::status_code>(reply.status));
    response.headers().add("X-Content-Type-Options", "nosniff");
    response.headers().add("Cache-Control", "no-store");
    response.set_body(reply.body, reply.content_type);
    // A client that hangs up is no concern of ours.
    request.reply(response).then([](const pplx::task<void>& sent) {
      try {
        sent.get();
      } catch (const std::exception&) {
      }
    });
  }

  const std::map<std::string, Handler> handlers_;
  http_listener listener_;
};

}  // namespace

Result<std::unique_ptr<HttpServer>> HttpServer::Start(const std::string& address,
                                                      std::map<std::string, Handler> handlers) {
  const std::string url = UrlOf(address);
  if (url.empty())
    return Error{ErrorKind::kInvalid, "listen address \"" + address + "\" is not HOST:PORT"};
  try {
    auto server = std::make_unique<CpprestServer>(url, std::move(handlers));
    server->Open();
    return std::unique_ptr<HttpServer>(std::move(server));
  } catch (const std::exception& error) {
    return Error{ErrorKind::kUnavailable, "cannot listen on " + address + ": " + error.what()};
  }
}

}  // namespace imagesweep
