#pragma once

#include <openssl/ssl.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "tests/support/test_certificates.h"

namespace imagesweep {

// One request as it arrived.
struct FakeRequest {
  std::string target;          // path and query
  std::string authorization;   // the header, or empty
  std::string host;            // the header
  std::size_t connection = 0;  // counted from 1
  std::string method;
  std::string body;             // of Content-Length
  std::string accept_encoding;  // the header

  bool Has(std::string_view part) const { return target.find(part) != std::string::npos; }
};

// The ways in which a handler answers: in one piece, in chunks, as raw bytes, or with a fault.
class FakeReply {
 public:
  virtual ~FakeReply() = default;
  virtual void Raw(std::string_view bytes) = 0;
  // Ends the connection with RST, or with FIN and without TLS close_notify.
  virtual void Reset() = 0;
  virtual void Drop() = 0;
  // Stays silent until the client leaves or the server stops.
  virtual void Stall() = 0;
  // False if the client left within `time`.
  virtual bool StillThereAfter(std::chrono::milliseconds time) = 0;

  // `headers` are complete lines, each with its "\r\n".
  void Answer(int status, const std::string& body, const std::string& headers = "");
  void StartChunks();
  void Chunk(std::string_view text);
  void EndChunks();
};

// A scripted API server over TLS on a real socket: HTTP/1.1, with one thread for each connection.
class FakeApiServer {
 public:
  using Handler = std::function<void(const FakeRequest&, FakeReply&)>;

  // Listens on 127.0.0.1 or [::1], on a port that the kernel selects.
  FakeApiServer(const TestCertificate& certificate, Handler handler, bool ipv6 = false);
  ~FakeApiServer();
  FakeApiServer(const FakeApiServer&) = delete;
  FakeApiServer& operator=(const FakeApiServer&) = delete;

  // https://127.0.0.1:PORT
  const std::string& url() const { return url_; }
  // Applies to new connections.
  void UseCertificate(const TestCertificate& certificate);
  void RequireClientCertificate(const std::string& ca);
  // Every connection gets a 200 without TLS.
  void SpeakPlainText() { plain_ = true; }
  // Writes are sent in pieces of at most this number of bytes.
  void SplitWrites(std::size_t most) { most_ = most; }

  std::vector<FakeRequest> requests() const;
  std::size_t connections() const;
  // Waits until this number of requests has arrived. False after ten seconds.
  bool WaitForRequests(std::size_t count) const;

 private:
  class Connection;
  void AcceptLoop();
  void Serve(int socket, std::size_t number);
  SSL_CTX* NewContext() const;

  const Handler handler_;
  std::string url_;
  int listener_ = -1;
  int stop_event_ = -1;
  std::atomic<bool> plain_{false};
  std::atomic<std::size_t> most_{1U << 20};

  mutable std::mutex mu_;
  mutable std::condition_variable changed_;
  TestCertificate certificate_;
  std::string client_ca_;
  std::vector<FakeRequest> requests_;
  std::set<int> sockets_;
  std::size_t connections_ = 0;
  std::list<std::jthread> serving_;
  std::jthread accepting_;
};

}  // namespace imagesweep
