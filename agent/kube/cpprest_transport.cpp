#include "agent/kube/cpprest_transport.h"

#include <cpprest/http_client.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <pplx/threadpool.h>
#include <sys/socket.h>

#include <array>
#include <charconv>
#include <future>

#include "agent/base/guarded.h"

namespace imagesweep::kube {
namespace {

namespace http = web::http;
using Concurrency::streams::streambuf;

// Large enough for a thousand pods on one node; a larger answer fails, it is never cut.
constexpr std::size_t kMaxBody = 64U << 20;
// cpprestsdk's own timeout is a limit on silence; ours is shorter, this one only has the last word.
constexpr auto kLibraryTimeout = std::chrono::seconds(600);

std::optional<Millis> RetryAfter(const http::http_headers& headers) {
  const auto it = headers.find("Retry-After");
  if (it == headers.end()) return std::nullopt;
  int seconds = 0;
  const auto [end, error] =
      std::from_chars(it->second.data(), it->second.data() + it->second.size(), seconds);
  if (error != std::errc() || end != it->second.data() + it->second.size() || seconds < 0)
    return std::nullopt;
  return std::chrono::seconds(std::min(seconds, 3600));
}

// What TLS told the other side last: cpprestsdk itself only says "Error in SSL handshake".
class AlertNote {
 public:
  void Set(const char* text) {
    text_.With([&](std::string& t) {
      t = text;
      return 0;
    });
  }
  std::string Take() {
    return text_.With([](std::string& t) { return std::exchange(t, {}); });
  }

 private:
  Guarded<std::string> text_;
};

int AlertIndex() {
  static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

void OnTlsInfo(const SSL* ssl, int where, int code) {
  if ((where & SSL_CB_ALERT) == 0) return;
  auto* note = static_cast<AlertNote*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), AlertIndex()));
  if (note != nullptr) note->Set(SSL_alert_desc_string_long(code));
}

// The cluster's CA and no other: cpprestsdk trusts the system's bundle as well.
void UseIdentity(SSL_CTX* context, const ApiServer& server, AlertNote* note) {
  boost::asio::ssl::context::native_handle_type handle = context;
  X509_STORE* store = X509_STORE_new();
  BIO* bio = BIO_new_mem_buf(server.ca.data(), static_cast<int>(server.ca.size()));
  while (X509* ca = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr)) {
    X509_STORE_add_cert(store, ca);
    X509_free(ca);
  }
  BIO_free(bio);
  SSL_CTX_set_cert_store(handle, store);
  SSL_CTX_set_min_proto_version(handle, TLS1_2_VERSION);
  SSL_CTX_set_ex_data(handle, AlertIndex(), note);
  SSL_CTX_set_info_callback(handle, OnTlsInfo);
}

// Before the first request, so that a bad file is an error with a name and not a failed handshake.
Status CheckIdentity(const ApiServer& server) {
  const auto readable = [](const std::string& pem) {
    BIO* bio = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
    X509* certificate = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
    BIO_free(bio);
    X509_free(certificate);
    return certificate != nullptr;
  };
  if (!readable(server.ca))
    return Error{ErrorKind::kInvalid, "the cluster's CA is not a PEM certificate"};
  if (!server.client_certificate.empty()) {
    if (!readable(server.client_certificate))
      return Error{ErrorKind::kInvalid, "the client certificate is not a PEM certificate"};
    BIO* bio =
        BIO_new_mem_buf(server.client_key.data(), static_cast<int>(server.client_key.size()));
    EVP_PKEY* key = PEM_read_bio_PrivateKey(bio, nullptr, nullptr, nullptr);
    BIO_free(bio);
    EVP_PKEY_free(key);
    if (key == nullptr)
      return Error{ErrorKind::kInvalid, "the client key is not a PEM private key"};
  }
  return Done{};
}

// Waits for a task for at most `limit`; on time-out the request is cancelled, and so ends.
template <typename T>
Result<T> Await(const pplx::task<T>& task, Millis limit, pplx::cancellation_token_source& cancel,
                const std::stop_token& stop, AlertNote& note) {
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
    if (stop.stop_requested()) return Error{ErrorKind::kCancelled, "told to stop"};
    if (in_time) {
      const std::string alert = note.Take();
      return Error{ErrorKind::kUnavailable,
                   error.what() + (alert.empty() ? "" : " (TLS: " + alert + ")")};
    }
  }
  if (stop.stop_requested()) return Error{ErrorKind::kCancelled, "told to stop"};
  return Error{ErrorKind::kDeadline, "no answer within " + std::to_string(limit.count()) + " ms"};
}

class CpprestTransport final : public HttpTransport {
 public:
  CpprestTransport(const ApiServer& server, TokenSource& token)
      : token_(token),
        note_(std::make_shared<AlertNote>()),
        client_(web::uri(server.url), Config(server, note_)) {}

  Result<HttpResponse> Get(const std::string& path, Millis limit,
                           const std::stop_token& stop) override {
    HttpResponse result;
    const SteadyTime deadline = RealClock().Steady() + limit;
    const auto left = [deadline] {
      return std::max(std::chrono::duration_cast<Millis>(deadline - RealClock().Steady()),
                      Millis(1));
    };
    return Exchange(path, stop, left, {}, {}, result);
  }

  Result<HttpResponse> Stream(const std::string& path, Millis idle, const std::stop_token& stop,
                              const OnOpen& on_open, const OnData& on_data) override {
    HttpResponse result;
    return Exchange(
        path, stop, [idle] { return idle; }, on_open, on_data, result);
  }

 private:
  static http::client::http_client_config Config(const ApiServer& server,
                                                 const std::shared_ptr<AlertNote>& note) {
    http::client::http_client_config config;
    config.set_timeout(kLibraryTimeout);
    config.set_validate_certificates(true);
    config.set_ssl_context_callback([server, note](boost::asio::ssl::context& context) {
      UseIdentity(context.native_handle(), server, note.get());
      if (server.client_certificate.empty()) return;
      context.use_certificate_chain(boost::asio::buffer(server.client_certificate));
      context.use_private_key(boost::asio::buffer(server.client_key),
                              boost::asio::ssl::context::pem);
    });
    return config;
  }

  http::http_request Request(const std::string& path) {
    http::http_request request(http::methods::GET);
    request.set_request_uri(web::uri(path));
    request.headers().add("Accept", "application/json");
    request.headers().add("User-Agent", "imagesweep");
    if (const std::string token = token_.Current(); !token.empty())
      request.headers().add("Authorization", "Bearer " + token);
    return request;
  }

  template <typename Limit>
  Result<HttpResponse> Exchange(const std::string& path, const std::stop_token& stop,
                                const Limit& limit, const OnOpen& on_open, const OnData& on_data,
                                HttpResponse& result) {
    pplx::cancellation_token_source cancel;
    const std::stop_callback on_stop(stop, [&cancel] { cancel.cancel(); });
    try {
      auto response =
          Await(client_.request(Request(path), cancel.get_token()), limit(), cancel, stop, *note_);
      if (!response) return std::move(response).error();
      result.status = response->status_code();
      result.retry_after = RetryAfter(response->headers());
      if (result.status == 401) token_.Refused();
      if (on_data && result.status == 200) {
        if (on_open) on_open();
        const auto status = Pump(response->body().streambuf(), limit, cancel, stop, on_data);
        if (!status) return status.error();
        return std::move(result);
      }
      const auto status =
          Pump(response->body().streambuf(), limit, cancel, stop, [&](std::string_view piece) {
            result.body.append(piece);
            return result.body.size() <= kMaxBody;
          });
      if (!status) return status.error();
      if (result.body.size() > kMaxBody)
        return Error{ErrorKind::kIncomplete, "the answer is larger than 64 MiB"};
      return std::move(result);
    } catch (const std::exception& error) {  // an address that cannot be used at all
      return Error{ErrorKind::kUnavailable, error.what()};
    }
  }

  // Hands over what comes until the end; waits for one byte, then takes all that is there.
  template <typename Limit>
  Status Pump(streambuf<std::uint8_t> body, const Limit& limit,
              pplx::cancellation_token_source& cancel, const std::stop_token& stop,
              const OnData& on_data) {
    std::array<std::uint8_t, 16384> buffer{};
    for (;;) {
      const auto first = Await(body.bumpc(), limit(), cancel, stop, *note_);
      if (!first) return first.error();
      if (*first == streambuf<std::uint8_t>::traits::eof()) {
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
        const auto taken = Await(body.getn(buffer.data() + 1, more), limit(), cancel, stop, *note_);
        if (!taken) return taken.error();
        got += *taken;
      }
      if (!on_data({reinterpret_cast<const char*>(buffer.data()), got})) {
        cancel.cancel();
        return Done{};
      }
    }
  }

  TokenSource& token_;
  const std::shared_ptr<AlertNote> note_;
  http::client::http_client client_;
};

}  // namespace

void InitHttp(int threads) {
  crossplat::threadpool::initialize_with_threads(static_cast<std::size_t>(threads));
}

Result<std::unique_ptr<HttpTransport>> ConnectOverTls(const ApiServer& server, TokenSource& token) {
  if (auto status = CheckIdentity(server); !status) return std::move(status).error();
  try {
    return std::unique_ptr<HttpTransport>(std::make_unique<CpprestTransport>(server, token));
  } catch (const std::exception& error) {
    return Error{ErrorKind::kInvalid, "API server " + server.url + ": " + error.what()};
  }
}

}  // namespace imagesweep::kube
