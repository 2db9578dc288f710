#include "agent/server/http/server.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <list>
#include <system_error>
#include <thread>

#include "agent/server/http/connection.h"

namespace imagesweep {
namespace {

constexpr int kAcceptAtOnce = 256;
// Pause of the listener if no file descriptor is available for a new client.
constexpr Millis kAcceptPause{100};

class PollServer final : public HttpServer {
 public:
  PollServer(Fd listener, Fd wake, std::map<std::string, Route> routes, const HttpLimits& limits)
      : listener_(std::move(listener)),
        wake_(std::move(wake)),
        routes_(std::move(routes)),
        limits_(limits),
        answer_([this](const HttpRequest& request, bool local) {
          ShedReplies();
          return Answer(request, local);
        }),
        thread_([this](const std::stop_token& stop) { Run(stop); }) {}
  ~PollServer() override {
    thread_.request_stop();
    const std::uint64_t one = 1;
    // Fails only if the counter is full, which also wakes the thread.
    [[maybe_unused]] const ssize_t written = write(wake_.get(), &one, sizeof one);
  }

 private:
  void Run(const std::stop_token& stop) {
    std::vector<pollfd> polled;
    while (!stop.stop_requested()) {
      SteadyTime now = clock_.Steady();
      const bool accepting = now >= accept_again_;
      polled.assign({{wake_.get(), POLLIN, 0}, {accepting ? listener_.get() : -1, POLLIN, 0}});
      for (const Connection& client : clients_) polled.push_back({client.fd(), client.events(), 0});
      if (poll(polled.data(), polled.size(), WaitMillis(now, accepting)) < 0 && errno != EINTR)
        return;  // any other error is a bug
      now = clock_.Steady();
      auto event = polled.begin() + 2;
      for (Connection& client : clients_)
        if ((event++)->revents != 0) client.Advance(answer_, now);
      std::erase_if(clients_, [&](const Connection& client) { return client.over(now); });
      if (polled[1].revents != 0) AcceptSome(now);
    }
  }

  // Until the next deadline; -1: none.
  int WaitMillis(SteadyTime now, bool accepting) const {
    auto until = accepting ? SteadyTime::max() : accept_again_;
    for (const Connection& client : clients_) until = std::min(until, client.deadline());
    if (until == SteadyTime::max()) return -1;
    return static_cast<int>(
        std::max<Millis::rep>(0, std::chrono::ceil<Millis>(until - now).count()));
  }

  void AcceptSome(SteadyTime now) {
    for (int i = 0; i < kAcceptAtOnce; ++i) {
      Peer peer = Accept(listener_);
      if (peer.fd.get() < 0) {
        const bool none_left = peer.error == EMFILE || peer.error == ENFILE ||
                               peer.error == ENOBUFS || peer.error == ENOMEM;
        if (none_left) accept_again_ = now + kAcceptPause;
        return;
      }
      if (clients_.size() >= limits_.connections) clients_.pop_front();
      // Most requests have already arrived, so they are served at once.
      clients_.emplace_back(std::move(peer), limits_, now).Advance(answer_, now);
      if (clients_.back().over(now)) clients_.pop_back();
    }
  }

  // Makes space for another reply.
  void ShedReplies() {
    std::size_t bytes = 0;
    for (const Connection& client : clients_) bytes += client.waiting_bytes();
    for (Connection& client : clients_) {
      if (bytes <= limits_.reply_bytes) return;
      bytes -= client.waiting_bytes();
      if (client.waiting_bytes() > 0) client.Drop();
    }
  }

  HttpReply Answer(const HttpRequest& request, bool local) const {
    const auto route = routes_.find(request.path);
    if (route == routes_.end()) return {404, "text/plain; charset=utf-8", "page not found\n"};
    if (route->second.local_only && !(local && !request.forwarded && NamesThisHost(request.host)))
      return {403, "text/plain; charset=utf-8",
              "this page is available only from this host (use kubectl port-forward); "
              "--status-page=all allows other clients\n"};
    return route->second.handler(request.query);
  }

  const RealClock clock_;
  const Fd listener_, wake_;
  const std::map<std::string, Route> routes_;
  const HttpLimits limits_;
  const Connection::Answer answer_;
  SteadyTime accept_again_{};
  std::list<Connection> clients_;  // oldest first
  std::jthread thread_;            // last: it uses all the others
};

}  // namespace

Result<std::unique_ptr<HttpServer>> HttpServer::Start(const std::string& address,
                                                      std::map<std::string, Route> routes,
                                                      const HttpLimits& limits) {
  auto listener = Listen(address);
  if (!listener) return std::move(listener).error();
  Fd wake(eventfd(0, EFD_CLOEXEC));
  if (wake.get() < 0)
    return Error{ErrorKind::kUnavailable,
                 "cannot listen on " + address + ": " + std::generic_category().message(errno)};
  return std::unique_ptr<HttpServer>(std::make_unique<PollServer>(
      *std::move(listener), std::move(wake), std::move(routes), limits));
}

}  // namespace imagesweep
