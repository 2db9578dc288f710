#include "tests/support/fake_api_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <csignal>
#include <cstdio>
#include <stdexcept>
#include <utility>

namespace imagesweep {
namespace {

void Must(bool ok, const char* what) {
  if (!ok) throw std::runtime_error(std::string("fake API server: ") + what);
}

X509* ReadCertificate(const std::string& pem) {
  BIO* bio = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  X509* certificate = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
  BIO_free(bio);
  return certificate;
}

std::string HeaderOf(const std::string& head, const std::string& name) {
  std::string lower = head;
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
  const auto at = lower.find("\r\n" + name + ":");
  if (at == std::string::npos) return {};
  const auto start = head.find_first_not_of(' ', at + name.size() + 3);
  return head.substr(start, head.find("\r\n", start) - start);
}

}  // namespace

void FakeReply::Answer(int status, const std::string& body, const std::string& headers) {
  Raw("HTTP/1.1 " + std::to_string(status) +
      " Told\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
      "\r\n" + headers + "\r\n" + body);
}

void FakeReply::StartChunks() {
  Raw("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n");
}

void FakeReply::Chunk(std::string_view text) {
  char size[20];
  std::snprintf(size, sizeof size, "%zx\r\n", text.size());
  Raw(size + std::string(text) + "\r\n");
}

void FakeReply::EndChunks() {
  Raw("0\r\n\r\n");
}

class FakeApiServer::Connection final : public FakeReply {
 public:
  Connection(int socket, SSL* ssl, int stop_event, std::size_t most)
      : socket_(socket), ssl_(ssl), stop_event_(stop_event), most_(most) {}

  // Reads the head of the next request. Empty if there is none.
  std::string ReadHead() {
    for (;;) {
      if (const auto end = read_.find("\r\n\r\n"); end != std::string::npos) {
        std::string head = read_.substr(0, end + 2);
        read_.erase(0, end + 4);
        return head;
      }
      if (!ReadMore()) return {};
    }
  }
  // Reads this number of bytes after the head, or fewer if the client leaves.
  std::string ReadBody(std::size_t size) {
    while (read_.size() < size && ReadMore()) {
    }
    std::string body = read_.substr(0, size);
    read_.erase(0, body.size());
    return body;
  }
  bool over() const { return over_; }

  void Raw(std::string_view bytes) override {
    while (!bytes.empty() && !over_) {
      const std::string_view piece = bytes.substr(0, most_);
      const long put = ssl_ != nullptr
                           ? SSL_write(ssl_, piece.data(), static_cast<int>(piece.size()))
                           : send(socket_, piece.data(), piece.size(), MSG_NOSIGNAL);
      if (put <= 0) over_ = true;
      bytes.remove_prefix(piece.size());
    }
  }
  void Reset() override {
    const linger now{1, 0};
    setsockopt(socket_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    over_ = true;
  }
  void Drop() override { over_ = true; }
  void Stall() override {
    StillThereAfter(std::chrono::hours(1));
    over_ = true;
  }
  bool StillThereAfter(std::chrono::milliseconds time) override {
    pollfd waits[] = {{socket_, POLLRDHUP, 0}, {stop_event_, POLLIN, 0}};
    const bool quiet = poll(waits, 2, static_cast<int>(time.count())) == 0;
    if (!quiet) over_ = true;
    return quiet;
  }

 private:
  bool ReadMore() {
    char buffer[4096];
    const int got = SSL_read(ssl_, buffer, sizeof buffer);
    if (got > 0) read_.append(buffer, static_cast<std::size_t>(got));
    return got > 0;
  }

  const int socket_;
  SSL* const ssl_;
  const int stop_event_;
  const std::size_t most_;
  std::string read_;
  bool over_ = false;
};

FakeApiServer::FakeApiServer(const TestCertificate& certificate, Handler handler, bool ipv6)
    : handler_(std::move(handler)), certificate_(certificate) {
  std::signal(SIGPIPE, SIG_IGN);
  stop_event_ = eventfd(0, EFD_CLOEXEC);
  listener_ = socket(ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  Must(listener_ >= 0 && stop_event_ >= 0, "no socket");
  sockaddr_in6 six{};
  six.sin6_family = AF_INET6;
  six.sin6_addr = in6addr_loopback;
  sockaddr_in four{};
  four.sin_family = AF_INET;
  four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* address = ipv6 ? reinterpret_cast<sockaddr*>(&six) : reinterpret_cast<sockaddr*>(&four);
  socklen_t size = ipv6 ? sizeof six : sizeof four;
  Must(bind(listener_, address, size) == 0 && listen(listener_, 16) == 0, "cannot listen");
  Must(getsockname(listener_, address, &size) == 0, "no address");
  url_ = (ipv6 ? "https://[::1]:" : "https://127.0.0.1:") +
         std::to_string(ntohs(ipv6 ? six.sin6_port : four.sin_port));
  accepting_ = std::jthread([this] { AcceptLoop(); });
}

FakeApiServer::~FakeApiServer() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto told = write(stop_event_, &one, sizeof one);
  accepting_.join();
  {
    const std::scoped_lock lock(mu_);
    for (const int open : sockets_) shutdown(open, SHUT_RDWR);
  }
  serving_.clear();
  close(listener_);
  close(stop_event_);
}

void FakeApiServer::UseCertificate(const TestCertificate& certificate) {
  const std::scoped_lock lock(mu_);
  certificate_ = certificate;
}

void FakeApiServer::RequireClientCertificate(const std::string& ca) {
  const std::scoped_lock lock(mu_);
  client_ca_ = ca;
}

std::vector<FakeRequest> FakeApiServer::requests() const {
  const std::scoped_lock lock(mu_);
  return requests_;
}

std::size_t FakeApiServer::connections() const {
  const std::scoped_lock lock(mu_);
  return connections_;
}

bool FakeApiServer::WaitForRequests(std::size_t count) const {
  std::unique_lock lock(mu_);
  return changed_.wait_for(lock, std::chrono::seconds(10),
                           [&] { return requests_.size() >= count; });
}

SSL_CTX* FakeApiServer::NewContext() const {
  const std::scoped_lock lock(mu_);
  SSL_CTX* context = SSL_CTX_new(TLS_server_method());
  X509* certificate = ReadCertificate(certificate_.certificate);
  BIO* bio = BIO_new_mem_buf(certificate_.key.data(), static_cast<int>(certificate_.key.size()));
  EVP_PKEY* key = PEM_read_bio_PrivateKey(bio, nullptr, nullptr, nullptr);
  SSL_CTX_use_certificate(context, certificate);
  SSL_CTX_use_PrivateKey(context, key);
  EVP_PKEY_free(key);
  BIO_free(bio);
  X509_free(certificate);
  if (!client_ca_.empty()) {
    X509* ca = ReadCertificate(client_ca_);
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context), ca);
    X509_free(ca);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  }
  return context;
}

void FakeApiServer::AcceptLoop() {
  for (;;) {
    pollfd waits[] = {{listener_, POLLIN, 0}, {stop_event_, POLLIN, 0}};
    poll(waits, 2, -1);
    if (waits[1].revents != 0) return;
    const int socket = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket < 0) continue;
    const int yes = 1;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    const std::scoped_lock lock(mu_);
    sockets_.insert(socket);
    serving_.emplace_back([this, socket, number = ++connections_] { Serve(socket, number); });
  }
}

void FakeApiServer::Serve(int socket, std::size_t number) {
  SSL* ssl = nullptr;
  bool open = true;
  if (!plain_) {
    SSL_CTX* context = NewContext();
    ssl = SSL_new(context);
    SSL_CTX_free(context);
    SSL_set_fd(ssl, socket);
    open = SSL_accept(ssl) == 1;
  }
  Connection connection(socket, ssl, stop_event_, most_);
  if (plain_) {  // like a server that does not expect TLS
    char hello[4096];
    open = false;
    if (recv(socket, hello, sizeof hello, 0) > 0) connection.Answer(200, "{}");
  }
  while (open && !connection.over()) {
    const std::string head = connection.ReadHead();
    if (head.empty()) break;
    const auto from = head.find(' ') + 1;
    const FakeRequest request{
        head.substr(from, head.find(' ', from) - from),
        HeaderOf(head, "authorization"),
        HeaderOf(head, "host"),
        number,
        head.substr(0, from - 1),
        connection.ReadBody(std::strtoul(HeaderOf(head, "content-length").c_str(), nullptr, 10)),
        HeaderOf(head, "accept-encoding")};
    {
      const std::scoped_lock lock(mu_);
      requests_.push_back(request);
      changed_.notify_all();
    }
    handler_(request, connection);
  }
  SSL_free(ssl);
  ERR_clear_error();
  const std::scoped_lock lock(mu_);
  sockets_.erase(socket);
  close(socket);
}

}  // namespace imagesweep
