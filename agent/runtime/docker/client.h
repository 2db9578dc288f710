#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/base/clock.h"
#include "agent/base/result.h"

namespace imagesweep::docker {

// Called after every finished request with a name of the request ("GET /images/json"), its result
// ("200", "unavailable", …), and the duration. It runs on the thread of the request, so it must
// return quickly.
using CallObserver =
    std::function<void(std::string_view request, std::string_view result, double seconds)>;

struct ClientOptions {
  Millis timeout = std::chrono::minutes(2);  // for one request and its whole response
  // A longer response is kIncomplete. 10,000 containers with ordinary labels take about 12 MiB.
  std::size_t max_response_bytes = std::size_t{32} << 20;
  CallObserver observer = {};  // may be empty
};

struct Request {
  std::string_view method = "GET";
  // Path and query without the version: "/images/json?all=0". Escape parts of it with Escaped().
  std::string target = {};
  std::string name = {};  // for errors and the observer; empty: method and path
  // Sent besides those that every request has: X-Registry-Auth. Never in an error or an observer.
  std::vector<std::pair<std::string, std::string>> headers = {};
};

struct Reply {
  int status = 0;
  std::string body;

  bool ok() const { return status >= 200 && status < 300; }
};

// The error of a response with an error status, with the `message` of the daemon: kInvalid (400),
// kDenied (401, 403), kNotFound (404), kUnavailable (503), kInternal (409, 500, and all others).
Error ErrorOf(const Request& request, const Reply& reply);

// A percent-encoded text for one parameter of a query, or one segment of a path. Slashes stay,
// because the daemon expects them in the names of images.
std::string Escaped(std::string_view text);

// HTTP/1.1 requests to the Docker Engine API through its unix socket. Each request has a connection
// of its own, so a restart of the daemon needs no special handling. Thread-safe.
//
// The first request asks the daemon for its versions (GET /_ping) and uses the newest one that both
// sides know. They are asked again after the socket file or the daemon changed. Source:
// https://docs.docker.com/reference/api/engine/#versioned-api-and-sdk.
class Client {
 public:
  // The oldest and the newest version of the API that this program was tested with: Docker 20.10
  // and 29.
  static constexpr std::string_view kOldest = "1.41", kNewest = "1.56";

  // `path`: the absolute path of the socket. Never fails; errors come with the first request.
  explicit Client(std::string path, ClientOptions options = {});
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  const std::string& path() const noexcept { return path_; }
  const ClientOptions& options() const noexcept { return options_; }

  // The version in use, such as "1.41". kInvalid: the daemon and this program know no common
  // version; the message names both ranges. kIncomplete: the server is not the Docker Engine.
  Result<std::string> Version(const std::stop_token& stop) const;

  // Returns every complete response, also one with an error status. Errors: kUnavailable (cannot
  // connect), kDenied (no rights for the socket), kDeadline, kIncomplete (the response is cut off
  // or too long), kCancelled.
  Result<Reply> Send(const Request& request, const std::stop_token& stop) const;
  // Returns the body of a response with a status of 200 to 299. Other responses are the error of
  // ErrorOf().
  Result<std::string> Get(std::string_view target, const std::stop_token& stop) const;

  // Calls `take` with each part of the body as it arrives, until the response ends, `take` returns
  // false, or `stop`. `limit` is for the whole response; zero: no limit. A response with an error
  // status is an error, as in Send.
  Status Stream(const Request& request, Millis limit,
                const std::function<bool(std::string_view)>& take,
                const std::stop_token& stop) const;

  // Sends a body in parts. `next` returns the next part, and an empty text at the end. Returns the
  // body of the response.
  Result<std::string> Upload(const Request& request, std::string_view content_type,
                             const std::function<Result<std::string>()>& next, Millis limit,
                             const std::stop_token& stop) const;

 private:
  struct Negotiated;
  using Take = std::function<bool(std::string_view)>;
  using Next = std::function<Result<std::string>()>;

  Result<std::string> Negotiate(SteadyTime deadline, const std::stop_token& stop) const;
  Result<Reply> Perform(const Request& request, std::string_view content_type, const Next& next,
                        Millis limit, const Take& take, const std::stop_token& stop) const;
  const std::string path_;
  const ClientOptions options_;
  const std::unique_ptr<Negotiated> negotiated_;
};

// Whether a Docker Engine answers on this socket. An error names why not: no socket, no rights, or
// another server. `patience` is the timeout.
Status ProbeEngine(const std::string& path, const std::stop_token& stop,
                   Millis patience = std::chrono::seconds(2));

}  // namespace imagesweep::docker
