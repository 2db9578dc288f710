#include "agent/kube/client/cpprest_transport.h"

#include <arpa/inet.h>
#include <cpprest/http_client.h>
#include <cpprest/producerconsumerstream.h>
#include <pplx/threadpool.h>

#include <array>
#include <condition_variable>
#include <future>
#include <mutex>
#include <optional>

#include "agent/base/parse_number.h"
#include "agent/kube/client/tls_identity.h"

namespace imagesweep::kube {
namespace {

namespace http = web::http;
using Bytes = Concurrency::streams::streambuf<std::uint8_t>;

// The limit for an answer that is held whole, which is one object. etcd stores 1.5 MiB by default,
// and JSON may escape one character as six. A larger answer fails. It is never cut.
constexpr std::size_t kMaxBody = 16U << 20;
// The limit for unread data. Without it, the library reads until the whole answer is in memory.
constexpr std::size_t kMostWaiting = 64U << 10;
// How long a connection that ends early may take to have nothing in progress.
constexpr Millis kUntilQuiet{1'000};
// The timeout of cpprestsdk limits silence. Our limits are shorter, so this is only a safeguard.
constexpr auto kLibraryTimeout = std::chrono::seconds(600);

std::optional<Millis> RetryAfter(const http::http_headers& headers) {
  const auto it = headers.find("Retry-After");
  if (it == headers.end()) return std::nullopt;
  const auto seconds = ParseNumber<int>(it->second);
  if (!seconds || *seconds < 0) return std::nullopt;
  return std::chrono::seconds(std::min(*seconds, 3600));
}

// The URL of a server in a form that cpprestsdk can use. cpprestsdk passes an IPv6 address to the
// resolver in brackets, which fails. Without brackets, it takes the last colon for that of the
// port, but then writes an invalid Host header (cpprestsdk#1163, http_client_asio.cpp).
struct Address {
  std::string url;
  std::string host;         // name or address, without brackets
  bool literal = false;     // an address, which TLS does not send as a server name (RFC 6066)
  std::string host_header;  // empty: that of the library
};

Address ReadAddress(const std::string& url) {
  const web::uri uri(url);
  Address address{url, uri.host(), false, {}};
  const int port = uri.port() > 0 ? uri.port() : 443;
  if (address.host.starts_with('[') && address.host.ends_with(']')) {
    address.host_header = address.host + ":" + std::to_string(port);
    address.host = address.host.substr(1, address.host.size() - 2);
    address.url = "https://" + address.host + ":" + std::to_string(port) + uri.path();
  }
  in6_addr any{};
  address.literal = inet_pton(AF_INET, address.host.c_str(), &any) == 1 ||
                    inet_pton(AF_INET6, address.host.c_str(), &any) == 1;
  return address;
}

class AtEnd {
 public:
  explicit AtEnd(std::function<void()> act) : act_(std::move(act)) {}
  ~AtEnd() { act_(); }
  AtEnd(const AtEnd&) = delete;
  AtEnd& operator=(const AtEnd&) = delete;

 private:
  const std::function<void()> act_;
};

// The unread part of a body. The library continues to read from the connection only when little is
// left.
class BoundedBuffer final
    : public Concurrency::streams::details::basic_producer_consumer_buffer<std::uint8_t> {
 public:
  BoundedBuffer() : basic_producer_consumer_buffer(kMostWaiting) {}

  // Some data was read.
  void Resume() {
    std::optional<Waiting> resumed;
    {
      const std::scoped_lock lock(mu_);
      if (waiting_ && (discards_ || in_avail() <= kMostWaiting)) std::swap(resumed, waiting_);
    }
    if (resumed) resumed->written.set(resumed->count);
  }
  // Cancels the request in the middle of its body.  cpprestsdk crashes if a connection is closed
  // while one of its threads begins to read from it (cpprestsdk#1547).  So this waits until the
  // library waits for this buffer.  A silent connection is not being read.
  void Cancel(pplx::cancellation_token_source& cancel) {
    {
      std::unique_lock lock(mu_);
      holds_ = true;
      changed_.wait_for(lock, kUntilQuiet, [this] { return waiting_ || !can_write(); });
    }
    cancel.cancel();
    Discard();
  }
  // The library has closed the buffer.
  void Ended() {
    const std::scoped_lock lock(mu_);
    changed_.notify_all();
  }
  // There is no reader any more: discard all further data.
  void Discard() {
    {
      const std::scoped_lock lock(mu_);
      discards_ = true;
    }
    Resume();
  }

 protected:
  pplx::task<std::size_t> _putn(const std::uint8_t* data, std::size_t count) override {
    {
      const std::scoped_lock lock(mu_);
      if (discards_) return pplx::task_from_result(count);
      if (holds_) return Wait(count);
    }
    auto written = basic_producer_consumer_buffer::_putn(data, count);
    const std::scoped_lock lock(mu_);
    if (discards_ || in_avail() <= kMostWaiting) return written;
    return Wait(count);
  }

 private:
  // Lets the library wait until Resume() or Discard().
  pplx::task<std::size_t> Wait(std::size_t count) {
    waiting_ = Waiting{{}, count};
    changed_.notify_all();
    return pplx::create_task(waiting_->written);
  }

  struct Waiting {
    pplx::task_completion_event<std::size_t> written;
    std::size_t count = 0;
  };
  std::mutex mu_;
  std::condition_variable changed_;
  std::optional<Waiting> waiting_;
  bool holds_ = false;
  bool discards_ = false;
};

// API servers compress lists above 128 KiB only for "gzip" without a weight (k8s.io/apiserver,
// endpoints/handlers/responsewriters). A compressed answer arrives in small chunks. The library
// holds each chunk in memory, and older servers send an uncompressed list as one chunk.
class GzipFactory final : public http::compression::decompress_factory {
 public:
  const utility::string_t& algorithm() const override { return name_; }
  std::uint16_t weight() const override { return 1001; }  // so that no weight is written
  std::unique_ptr<http::compression::decompress_provider> make_decompressor() const override {
    return http::compression::builtin::make_decompressor(name_);
  }

 private:
  const utility::string_t name_ = http::compression::builtin::algorithm::GZIP;
};

// Waits for a task for at most `limit`. On timeout, it cancels the request, which ends the task.
template <typename T>
Result<T> Await(const pplx::task<T>& task, Millis limit, pplx::cancellation_token_source& cancel,
                const std::stop_token& stop, TlsIdentity& tls) {
  auto done = std::make_shared<std::promise<void>>();
  task.then([done](const pplx::task<T>&) { done->set_value(); });
  auto finished = done->get_future();
  const bool in_time = finished.wait_for(limit) == std::future_status::ready;
  if (!in_time) {
    cancel.cancel();
    finished.wait();
  }
  try {
    T value = task.get();
    if (in_time) return value;
  } catch (const std::exception& error) {
    if (stop.stop_requested()) return Error{ErrorKind::kCancelled, "shutting down"};
    if (in_time) {
      const std::string problem = tls.TakeProblem();
      return Error{ErrorKind::kUnavailable, error.what() + (problem.empty() ? "" : ": " + problem)};
    }
  }
  if (stop.stop_requested()) return Error{ErrorKind::kCancelled, "shutting down"};
  return Error{ErrorKind::kDeadline, "no answer within " + std::to_string(limit.count()) + " ms"};
}

class CpprestTransport final : public HttpTransport {
 public:
  CpprestTransport(const Address& address, TokenSource& token, std::shared_ptr<TlsIdentity> tls)
      : token_(token),
        tls_(std::move(tls)),
        host_header_(address.host_header),
        client_(web::uri(address.url), Config(tls_, address)) {}

  Result<HttpResponse> Get(const std::string& path, Millis limit,
                           const std::stop_token& stop) override {
    return Exchange({"GET", path, {}, {}}, Until(limit), stop, {}, {});
  }

  Result<HttpResponse> Fetch(const std::string& path, Millis limit, const std::stop_token& stop,
                             const OnData& on_data) override {
    return Exchange({"GET", path, {}, {}}, Until(limit), stop, {}, on_data);
  }

  Result<HttpResponse> Send(const HttpRequest& request, Millis limit,
                            const std::stop_token& stop) override {
    return Exchange(request, Until(limit), stop, {}, {});
  }

  Result<HttpResponse> Stream(const std::string& path, Millis idle, const std::stop_token& stop,
                              const OnOpen& on_open, const OnData& on_data) override {
    return Exchange(
        {"GET", path, {}, {}}, [idle] { return idle; }, stop, on_open, on_data);
  }

 private:
  using Limit = std::function<Millis()>;  // for the next wait

  // The rest of one limit for the whole exchange.
  static Limit Until(Millis limit) {
    return [deadline = RealClock().Steady() + limit] {
      const auto left = std::chrono::duration_cast<Millis>(deadline - RealClock().Steady());
      return std::max(left, Millis(1));
    };
  }

  static http::client::http_client_config Config(const std::shared_ptr<TlsIdentity>& tls,
                                                 const Address& address) {
    http::client::http_client_config config;
    config.set_timeout(kLibraryTimeout);
    config.set_validate_certificates(true);
    config.set_tlsext_sni_enabled(!address.literal);
    config.set_request_compressed_response(true);
    config.set_max_redirects(
        0);  // a redirect leads to a server that the user did not choose to trust
    config.set_ssl_context_callback(
        [tls](boost::asio::ssl::context& context) { tls->Apply(context.native_handle()); });
    return config;
  }

  http::http_request Request(const HttpRequest& question, const std::string& token) const {
    http::http_request request(question.method);
    request.set_request_uri(web::uri(question.path));
    if (!question.body.empty()) request.set_body(question.body, question.content_type);
    request.headers().add("Accept", "application/json");
    request.headers().add("User-Agent", "imagesweep");
    if (!host_header_.empty()) request.headers().add("Host", host_header_);
    if (!token.empty()) request.headers().add("Authorization", "Bearer " + token);
    static const auto kGzip = std::make_shared<GzipFactory>();
    request.set_decompress_factories({kGzip});
    return request;
  }

  // The token file may have been replaced meanwhile, so try once more after a 401.
  Result<HttpResponse> Exchange(const HttpRequest& question, const Limit& limit,
                                const std::stop_token& stop, const OnOpen& on_open,
                                const OnData& on_data) {
    const std::string token = token_.Current();
    auto response = ExchangeOnce(question, token, limit, stop, on_open, on_data);
    if (response && response->status == 401 && token_.Refused(token))
      return ExchangeOnce(question, token_.Current(), limit, stop, on_open, on_data);
    return response;
  }

  Result<HttpResponse> ExchangeOnce(const HttpRequest& question, const std::string& token,
                                    const Limit& limit, const std::stop_token& stop,
                                    const OnOpen& on_open, const OnData& on_data) {
    pplx::cancellation_token_source cancel;
    const std::stop_callback on_stop(stop, [&cancel] { cancel.cancel(); });
    const auto buffer = std::make_shared<BoundedBuffer>();
    const AtEnd discard([&] { buffer->Discard(); });
    try {
      auto response = SendOnce(question, token, buffer, limit, cancel, stop);
      if (!response) return std::move(response).error();
      HttpResponse result{response->status_code(), RetryAfter(response->headers()), {}};
      const bool good = result.status < 300;
      if (on_data && result.status == 200) {
        if (on_open) on_open();
        if (auto status = Pump(*buffer, limit, cancel, stop, on_data); !status)
          return status.error();
        return result;
      }
      // The body of a refused watch arrives at once, so it has one limit.
      const Limit body_limit = on_data ? Until(limit()) : limit;
      const std::size_t most = good ? kMaxBody : kMostRefusal;
      bool larger = false;
      const auto status = Pump(*buffer, body_limit, cancel, stop, [&](std::string_view piece) {
        larger = piece.size() > most - result.body.size();
        result.body.append(piece.substr(0, most - result.body.size()));
        return !larger;
      });
      if (!status) return status.error();
      if (larger && good) return Error{ErrorKind::kIncomplete, "the answer is larger than 16 MiB"};
      return result;
    } catch (const std::exception& error) {  // an address that cannot be used at all
      return Error{ErrorKind::kUnavailable, error.what()};
    }
  }

  // Reads the head of the answer. cpprestsdk repeats a request if a kept connection turns out to be
  // closed, but not if it was reset. If no new connection was started, the failed one was a kept
  // one, so repeat the request here.
  Result<http::http_response> SendOnce(const HttpRequest& question, const std::string& token,
                                       const std::shared_ptr<BoundedBuffer>& buffer,
                                       const Limit& limit, pplx::cancellation_token_source& cancel,
                                       const std::stop_token& stop) {
    constexpr int kMostKept = 4;
    for (int attempt = 1;; ++attempt) {
      const std::size_t before = tls_->contexts();
      auto request = Request(question, token);
      request.set_response_stream(Bytes(buffer).create_ostream());
      auto response =
          Await(client_.request(request, cancel.get_token()), limit(), cancel, stop, *tls_);
      if (response) CloseAtEnd(*response, buffer);
      const bool kept_one_failed = !response && response.error().kind == ErrorKind::kUnavailable &&
                                   tls_->contexts() == before;
      if (!kept_one_failed || attempt > kMostKept) return response;
    }
  }

  // The library does not close a buffer that the caller provides, so this does it.
  static void CloseAtEnd(const http::http_response& response,
                         const std::shared_ptr<BoundedBuffer>& buffer) {
    response.content_ready().then([buffer](const pplx::task<http::http_response>& whole) {
      try {
        whole.get();
        buffer->close(std::ios_base::out);
      } catch (...) {
        buffer->close(std::ios_base::out, std::current_exception());
      }
      buffer->Ended();
    });
  }

  // Passes on the data until its end: waits for one byte, then takes everything that is available.
  Status Pump(BoundedBuffer& body, const Limit& limit, pplx::cancellation_token_source& cancel,
              const std::stop_token& stop, const OnData& on_data) {
    std::array<std::uint8_t, 16384> buffer{};
    for (;;) {
      const auto first = Await(body.bumpc(), limit(), cancel, stop, *tls_);
      if (!first) return first.error();
      if (*first == Bytes::traits::eof()) {
        // A broken connection ends the buffer with its exception.
        if (body.exception() == nullptr) return Done{};
        try {
          std::rethrow_exception(body.exception());
        } catch (const std::exception& error) {
          return Error{stop.stop_requested() ? ErrorKind::kCancelled : ErrorKind::kUnavailable,
                       error.what()};
        }
      }
      buffer[0] = static_cast<std::uint8_t>(*first);
      const std::size_t more = std::min(body.in_avail(), buffer.size() - 1);
      std::size_t got = 1;
      if (more > 0) {
        const auto taken = Await(body.getn(buffer.data() + 1, more), limit(), cancel, stop, *tls_);
        if (!taken) return taken.error();
        got += *taken;
      }
      body.Resume();
      if (!on_data({reinterpret_cast<const char*>(buffer.data()), got})) {
        body.Cancel(cancel);
        return Done{};
      }
    }
  }

  TokenSource& token_;
  const std::shared_ptr<TlsIdentity> tls_;
  const std::string host_header_;
  http::client::http_client client_;
};

}  // namespace

void InitHttp(int threads) {
  crossplat::threadpool::initialize_with_threads(static_cast<std::size_t>(threads));
}

Result<std::unique_ptr<HttpTransport>> ConnectOverTls(const ApiServer& server, TokenSource& token) {
  try {
    const Address address = ReadAddress(server.url);
    auto tls = TlsIdentity::Create(server, address.host);
    if (!tls) return std::move(tls).error();
    return std::unique_ptr<HttpTransport>(
        std::make_unique<CpprestTransport>(address, token, *std::move(tls)));
  } catch (const std::exception& error) {
    return Error{ErrorKind::kInvalid, "API server " + server.url + ": " + error.what()};
  }
}

}  // namespace imagesweep::kube
