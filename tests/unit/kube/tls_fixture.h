#pragma once

#include <gmock/gmock.h>

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "agent/kube/client/cpprest_transport.h"
#include "tests/support/fake_api_server.h"

namespace imagesweep::kube {

// Values from another thread, in order. Take() waits at most ten seconds.
template <typename T>
class Mailbox {
 public:
  void Put(T value) {
    const std::scoped_lock lock(mu_);
    values_.push_back(std::move(value));
    filled_.notify_all();
  }
  std::optional<T> Take() {
    std::unique_lock lock(mu_);
    if (!filled_.wait_for(lock, std::chrono::seconds(10), [&] { return !values_.empty(); }))
      return std::nullopt;
    T value = std::move(values_.front());
    values_.pop_front();
    return value;
  }

 private:
  std::mutex mu_;
  std::condition_variable filled_;
  std::deque<T> values_;
};

// Gives every request the same answer.
inline FakeApiServer::Handler Says(int status, const std::string& body,
                                   const std::string& headers = "") {
  return [=](const FakeRequest&, FakeReply& reply) { reply.Answer(status, body, headers); };
}

// The real transport against a real TLS server.
struct TlsTest : testing::Test {
  inline static const TestCa ca{"cluster"};
  inline static const TestCertificate good = ca.Issue({});
  const RealClock clock{};

  static void SetUpTestSuite() {
    [[maybe_unused]] static const bool once = [] {
      InitHttp(2);
      return true;
    }();
  }

  ApiServer At(const FakeApiServer& server) const {
    ApiServer to;
    to.url = server.url();
    to.ca = ca.pem();
    to.token = "secret";
    return to;
  }

  // A client of `to` and its dependencies.
  struct Client {
    Client(const ApiServer& to, const Clock& clock, ReadFile read = ReadSmallFile)
        : token(to, std::move(read), clock), transport(ConnectOverTls(to, token)) {}
    Result<HttpResponse> Get(const std::string& path = "/x",
                             Millis limit = std::chrono::seconds(20)) {
      return (*transport)->Get(path, limit, stop.get_token());
    }
    // Reads pieces while `on_data` accepts them.
    Result<HttpResponse> Fetch(const HttpTransport::OnData& on_data,
                               Millis limit = std::chrono::seconds(60)) {
      return (*transport)->Fetch("/x", limit, stop.get_token(), on_data);
    }
    // The whole stream as it arrived.
    Result<HttpResponse> Stream(std::string& text, Millis idle = std::chrono::seconds(20)) {
      return (*transport)
          ->Stream(
              "/watch", idle, stop.get_token(), [] {},
              [&](std::string_view piece) {
                text += piece;
                return true;
              });
    }
    TokenSource token;
    Result<std::unique_ptr<HttpTransport>> transport;
    std::stop_source stop;
  };

  Millis Since(SteadyTime start) const {
    return std::chrono::duration_cast<Millis>(clock.Steady() - start);
  }
};

}  // namespace imagesweep::kube
