#include "agent/runtime/docker/http_exchange.h"

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/chunk_encode.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>
#include <exception>
#include <limits>
#include <utility>

#include "agent/base/printable_ascii.h"
#include "agent/runtime/socket.h"

namespace imagesweep::docker {

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using Code = boost::system::error_code;

class Connection {
 public:
  Connection(const std::string& path, std::optional<SteadyTime> deadline,
             const std::stop_token& stop)
      : path_(path), deadline_(deadline), stop_(stop) {}

  Result<HttpAnswer> Run(const HttpMessage& message, std::size_t max_bytes,
                         const std::function<bool(std::string_view)>& take) {
    // The callback runs on the thread that requests the stop, and the socket belongs to this one.
    const std::stop_callback on_stop(stop_, [this] { asio::post(io_, [this] { Close(); }); });
    if (stop_.stop_requested()) return Cancelled();
    Code code = Wait([&](auto done) {
      socket_.async_connect(asio::local::stream_protocol::endpoint(path_), std::move(done));
    });
    if (code) return ConnectError(code);
    auto sent = Write(message);
    if (!sent) return std::move(sent).error();
    return Read(max_bytes, take);
  }

 private:
  // Starts an operation and lets it run until it ends, the deadline, or a stop.
  template <typename Start>
  Code Wait(Start start) {
    std::optional<Code> result;
    start([&result](Code code, auto&&...) { result = code; });
    io_.restart();
    while (!result) {
      if (deadline_ && std::chrono::steady_clock::now() >= *deadline_) {
        expired_ = true;
        Close();
        io_.run();
        break;
      }
      if (deadline_) {
        io_.run_one_until(*deadline_);
      } else {
        io_.run_one();
      }
    }
    return *result;
  }

  void Close() {
    Code code;
    [[maybe_unused]] const Code same = socket_.close(code);  // an error leaves nothing to close
  }

  Error Cancelled() const { return {ErrorKind::kCancelled, "shutting down"}; }

  // The error of an operation that failed because of a stop or the deadline.
  std::optional<Error> Ended() const {
    if (stop_.stop_requested()) return Cancelled();
    if (expired_) return Error{ErrorKind::kDeadline, "no complete answer"};
    return std::nullopt;
  }

  Error ConnectError(const Code& code) const {
    if (auto ended = Ended()) return std::move(*ended);
    if (auto why = ProbeSocket(path_)) return std::move(*why);
    return {ErrorKind::kUnavailable, path_ + ": " + code.message()};
  }

  Error ReadError(const Code& code, bool answered) const {
    if (auto ended = Ended()) return std::move(*ended);
    if (code == http::error::body_limit) {
      return {ErrorKind::kIncomplete, "the response is too long"};
    }
    const bool closed = code == http::error::end_of_stream || code == asio::error::eof ||
                        code == asio::error::connection_reset || code == asio::error::broken_pipe ||
                        code == asio::error::not_connected;
    if (answered || code == http::error::partial_message) {
      return {ErrorKind::kIncomplete, "the response is cut off: " + code.message()};
    }
    if (closed) {
      // A full queue of connections shows only now.
      if (auto why = ProbeSocket(path_)) return std::move(*why);
      return {ErrorKind::kUnavailable,
              "the server on " + path_ +
                  " closed the connection without an answer: it stops, or it is not the Docker "
                  "Engine"};
    }
    return {ErrorKind::kIncomplete, "the server on " + path_ +
                                        " does not speak HTTP/1.1, so it is not the Docker "
                                        "Engine: " +
                                        PrintableAscii(code.message())};
  }

  // A failed write is not an error yet: a daemon that refuses a body answers before it closes.
  Status Write(const HttpMessage& message) {
    http::request<http::empty_body> request;
    request.method_string({message.method.data(), message.method.size()});
    request.target({message.target.data(), message.target.size()});
    request.version(11);
    request.set(http::field::host, "docker");
    request.set(http::field::user_agent, "imagesweep");
    request.set(http::field::connection, "close");
    if (!message.content_type.empty()) {
      request.set(http::field::content_type,
                  boost::string_view(message.content_type.data(), message.content_type.size()));
    }
    for (const auto& [name, value] : message.headers) {
      request.set(boost::string_view(name), boost::string_view(value));
    }
    if (message.next) {
      request.chunked(true);
    } else {
      request.prepare_payload();
    }
    http::serializer<true, http::empty_body> head(request);
    Code code = Wait([&](auto done) { http::async_write_header(socket_, head, std::move(done)); });
    while (message.next && !code) {
      auto part = message.next();
      if (!part) return std::move(part).error();
      if (part->empty()) {
        code = Wait([&](auto done) {
          asio::async_write(socket_, http::make_chunk_last(), std::move(done));
        });
        break;
      }
      code = Wait([&](auto done) {
        asio::async_write(socket_, http::make_chunk(asio::buffer(*part)), std::move(done));
      });
    }
    if (auto ended = Ended()) return std::move(*ended);
    return Done{};
  }

  Result<HttpAnswer> Read(std::size_t max_bytes,
                          const std::function<bool(std::string_view)>& take) {
    http::response_parser<http::buffer_body> parser;
    // No limit of its own. boost::none refuses every Content-Length in Boost 1.74.
    parser.body_limit(std::numeric_limits<std::uint64_t>::max());
    boost::beast::flat_buffer buffer(std::size_t{64} << 10);
    Code code =
        Wait([&](auto done) { http::async_read_header(socket_, buffer, parser, std::move(done)); });
    if (code) return ReadError(code, false);
    const auto& head = parser.get();
    const auto text = [&](std::string_view name) {
      return std::string(head[boost::string_view(name.data(), name.size())]);
    };
    HttpAnswer answer{static_cast<int>(head.result_int()), text("Api-Version"), text("Server"), {}};
    const bool stream = take && answer.ok();
    if (!stream) {
      const auto length = parser.content_length();
      if (length && *length > max_bytes) return ReadError(http::error::body_limit, true);
    }
    std::array<char, std::size_t{32} << 10> part{};
    while (!parser.is_done()) {
      parser.get().body().data = part.data();
      parser.get().body().size = part.size();
      code =
          Wait([&](auto done) { http::async_read_some(socket_, buffer, parser, std::move(done)); });
      const std::string_view got(part.data(), part.size() - parser.get().body().size);
      if (!got.empty() && stream && !stop_.stop_requested() && !take(got)) return answer;
      if (!stream) {
        if (answer.body.size() + got.size() > max_bytes) {
          return ReadError(http::error::body_limit, true);
        }
        answer.body += got;
      }
      if (code && code != http::error::need_buffer) return ReadError(code, true);
      if (auto ended = Ended()) return std::move(*ended);
    }
    return answer;
  }

  const std::string& path_;
  const std::optional<SteadyTime> deadline_;
  const std::stop_token& stop_;
  asio::io_context io_{1};
  asio::local::stream_protocol::socket socket_{io_};
  bool expired_ = false;
};

}  // namespace

Result<HttpAnswer> Exchange(const std::string& path, const HttpMessage& message,
                            const HttpLimits& limits,
                            const std::function<bool(std::string_view)>& take,
                            const std::stop_token& stop) {
  // A connection throws if the process has no file descriptors left, or if the path is too long.
  try {
    return Connection(path, limits.deadline, stop).Run(message, limits.max_bytes, take);
  } catch (const std::exception& error) {
    return Error{ErrorKind::kUnavailable, path + ": " + PrintableAscii(error.what())};
  }
}

}  // namespace imagesweep::docker
