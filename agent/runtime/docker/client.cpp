#include "agent/runtime/docker/client.h"

#include <charconv>
#include <optional>
#include <utility>

#include "agent/base/duration.h"
#include "agent/base/guarded.h"
#include "agent/base/printable_ascii.h"
#include "agent/runtime/docker/http_exchange.h"
#include "agent/runtime/docker/json.h"
#include "agent/runtime/socket.h"

namespace imagesweep::docker {

namespace {

SteadyTime Now() {
  return std::chrono::steady_clock::now();
}

// A version of the API: "1.41". Empty: not a version.
struct ApiVersion {
  int major = 0, minor = 0;
  auto operator<=>(const ApiVersion&) const = default;
};

std::optional<ApiVersion> ParseVersion(std::string_view text) {
  ApiVersion version;
  const char* end = text.data() + text.size();
  const auto major = std::from_chars(text.data(), end, version.major);
  if (major.ec != std::errc() || major.ptr == end || *major.ptr != '.') return std::nullopt;
  const auto minor = std::from_chars(major.ptr + 1, end, version.minor);
  if (minor.ec != std::errc() || minor.ptr != end) return std::nullopt;
  return version;
}

std::string NameOf(const Request& request) {
  if (!request.name.empty()) return request.name;
  const std::string_view target = request.target;
  return std::string(request.method) + " " + std::string(target.substr(0, target.find('?')));
}

// The message of a response with an error status: {"message": …}, or plain text from old daemons.
std::string MessageOf(const std::string& body, int status) {
  std::string text;
  const auto json = ParseJson(body);
  if (json) {
    Fields fields(*json);
    text = fields.Text("message");
  } else {
    text = body.substr(0, body.find_last_not_of(" \r\n") + 1);
  }
  if (text.empty()) text = "HTTP status " + std::to_string(status);
  return PrintableAscii(text);
}

ErrorKind KindOf(int status) {
  switch (status) {
    case 400:
      return ErrorKind::kInvalid;
    case 401:
    case 403:
      return ErrorKind::kDenied;
    case 404:
      return ErrorKind::kNotFound;
    case 503:
      return ErrorKind::kUnavailable;
    default:
      return ErrorKind::kInternal;
  }
}

std::string OurRange() {
  return std::string(Client::kOldest) + " to " + std::string(Client::kNewest);
}

Error Within(Error error, Millis limit) {
  if (error.kind == ErrorKind::kDeadline) error.what += " within " + FormatDuration(limit);
  return error;
}

// "Docker/29.0.0 (linux)" in a message.
std::string ServerOf(const HttpAnswer& answer) {
  return answer.server.empty() ? "the Docker Engine" : PrintableAscii(answer.server);
}

}  // namespace

Error ErrorOf(const Request& request, const Reply& reply) {
  return {KindOf(reply.status),
          NameOf(request) + ": Docker: " + MessageOf(reply.body, reply.status)};
}

std::string Escaped(std::string_view text) {
  constexpr std::string_view kPlain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/";
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string escaped;
  for (const char c : text) {
    if (kPlain.find(c) != std::string_view::npos) {
      escaped += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      escaped += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return escaped;
}

// What is known of the daemon behind the socket file with `inode`.
struct Client::Negotiated {
  struct State {
    std::uint64_t inode = 0;
    std::string offered;  // its newest version
    std::string version;  // in use; empty: unknown
  };
  Guarded<State> state;
};

Client::Client(std::string path, ClientOptions options)
    : path_(std::move(path)),
      options_(std::move(options)),
      negotiated_(std::make_unique<Negotiated>()) {}

Client::~Client() = default;

Result<std::string> Client::Version(const std::stop_token& stop) const {
  auto version = Negotiate(Now() + options_.timeout, stop);
  if (version) return version;
  return Within(std::move(version).error(), options_.timeout);
}

Result<std::string> Client::Negotiate(SteadyTime deadline, const std::stop_token& stop) const {
  const auto inode = SocketInode(path_);
  if (!inode) return inode.error();
  const auto known = negotiated_->state.With([&](const Negotiated::State& state) {
    return state.inode == *inode ? state.version : std::string();
  });
  if (!known.empty()) return known;

  const HttpLimits limits{deadline, options_.max_response_bytes};
  auto ping = Exchange(path_, {.target = "/_ping"}, limits, {}, stop);
  if (!ping) return std::move(ping).error().Wrap("GET /_ping");
  const auto offered = ParseVersion(ping->api_version);
  if (!offered) {
    return Error{ErrorKind::kIncomplete, "GET /_ping: the server on " + path_ +
                                             " is not the Docker Engine: its answer has no header "
                                             "Api-Version"};
  }
  // Podman offers the same API, but other tools share its store, and it does not list their
  // containers.
  if (!ping->server.starts_with("Docker/"))
    return Error{ErrorKind::kIncomplete,
                 "GET /_ping: the server on " + path_ + " is not the Docker Engine, but " +
                     (ping->server.empty() ? "one without a name" : PrintableAscii(ping->server))};
  const auto oldest = ParseVersion(kOldest), newest = ParseVersion(kNewest);
  if (*offered < *oldest) {
    return Error{ErrorKind::kInvalid, ServerOf(*ping) + " on " + path_ +
                                          " offers the API up to version " + ping->api_version +
                                          ", and imagesweep needs one of " + OurRange() +
                                          ": update Docker to 20.10 or later"};
  }
  std::string version = ping->api_version;
  if (*offered > *newest) {
    // Only such a daemon may have given up our versions.
    version = kNewest;
    auto check = Exchange(path_, {.target = "/v" + version + "/_ping"}, limits, {}, stop);
    if (!check) return std::move(check).error().Wrap("GET /_ping");
    if (check->status == 400) {
      return Error{ErrorKind::kInvalid,
                   ServerOf(*ping) + " on " + path_ + " offers the API up to version " +
                       ping->api_version + ", and imagesweep knows " + OurRange() +
                       ": update imagesweep. Docker: " + MessageOf(check->body, check->status)};
    }
  }
  negotiated_->state.With([&](Negotiated::State& state) {
    state = {*inode, ping->api_version, version};
  });
  return version;
}

Result<Reply> Client::Perform(const Request& request, std::string_view content_type,
                              const Next& next, Millis limit, const Take& take,
                              const std::stop_token& stop) const {
  const SteadyTime start = Now();
  const bool limited = limit > Millis(0);
  const auto perform = [&]() -> Result<Reply> {
    const SteadyTime deadline = start + (limited ? limit : options_.timeout);
    const auto version = Negotiate(deadline, stop);
    if (!version) return version.error();
    const HttpMessage message{request.method, "/v" + *version + request.target, content_type,
                              request.headers, next};
    HttpLimits limits{{}, options_.max_response_bytes};
    if (limited) limits.deadline = deadline;
    auto answer = Exchange(path_, message, limits, take, stop);
    if (!answer) return std::move(answer).error();
    negotiated_->state.With([&](Negotiated::State& state) {
      // Another daemon behind the same socket: one that systemd owns, for example.
      if (!answer->api_version.empty() && answer->api_version != state.offered) state = {};
    });
    return Reply{answer->status, std::move(answer->body)};
  };
  auto reply = perform();
  const double seconds = std::chrono::duration<double>(Now() - start).count();
  const std::string name = NameOf(request);
  if (options_.observer) {
    options_.observer(name, reply ? std::to_string(reply->status) : ToString(reply.error().kind),
                      seconds);
  }
  if (reply) return reply;
  return Within(std::move(reply).error(), limited ? limit : options_.timeout).Wrap(name);
}

Result<Reply> Client::Send(const Request& request, const std::stop_token& stop) const {
  return Perform(request, {}, {}, options_.timeout, {}, stop);
}

Result<std::string> Client::Get(std::string_view target, const std::stop_token& stop) const {
  const Request request{.target = std::string(target)};
  auto reply = Send(request, stop);
  if (!reply) return std::move(reply).error();
  if (!reply->ok()) return ErrorOf(request, *reply);
  return std::move(reply->body);
}

Status Client::Stream(const Request& request, Millis limit, const Take& take,
                      const std::stop_token& stop) const {
  const auto reply = Perform(request, {}, {}, limit, take, stop);
  if (!reply) return reply.error();
  if (!reply->ok()) return ErrorOf(request, *reply);
  return Done{};
}

Result<std::string> Client::Upload(const Request& request, std::string_view content_type,
                                   const Next& next, Millis limit,
                                   const std::stop_token& stop) const {
  auto reply = Perform(request, content_type, next, limit, {}, stop);
  if (!reply) return std::move(reply).error();
  if (!reply->ok()) return ErrorOf(request, *reply);
  return std::move(reply->body);
}

Status ProbeEngine(const std::string& path, const std::stop_token& stop, Millis patience) {
  if (auto why = ProbeSocket(path)) return std::move(*why);
  auto version = Client(path, {.timeout = patience}).Version(stop);
  if (version) return Done{};
  if (version.error().what.find(path) != std::string::npos) return version.error();
  return std::move(version).error().Wrap(path);
}

}  // namespace imagesweep::docker
