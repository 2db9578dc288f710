#include "agent/server/http/connection.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <exception>

namespace imagesweep {
namespace {

// Maximum number of bytes that a client may send after its head.
constexpr std::size_t kIgnoredBytes = 256UL * 1024;

// True if the call must be repeated, later or at once.
bool NotYet() {
  return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

}  // namespace

Connection::Connection(Peer peer, const HttpLimits& limits, SteadyTime now)
    : fd_(std::move(peer.fd)),
      local_(peer.local),
      limits_(&limits),
      deadline_(now + limits.head_time) {}

Connection::~Connection() {
  if (stage_ == Stage::kReply) Drop();
}

void Connection::Drop() {
  // Otherwise the kernel would buffer all data that the client does not read.
  const linger at_once{1, 0};
  setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  std::string().swap(reply_);
  sent_ = 0;
  stage_ = Stage::kOver;
}

short Connection::events() const {
  return stage_ == Stage::kReply ? POLLOUT : POLLIN;
}

void Connection::Advance(const Answer& answer, SteadyTime now) {
  bool on = true;
  while (on) {
    switch (stage_) {
      case Stage::kHead:
        on = ReadHead(answer, now);
        break;
      case Stage::kReply:
        on = SendReply(now);
        break;
      case Stage::kHangUp:
        on = AwaitEnd();
        break;
      case Stage::kOver:
        return;
    }
  }
}

bool Connection::ReadHead(const Answer& answer, SteadyTime now) {
  char buffer[4096];
  const std::size_t room = limits_->head_bytes + 1 - head_.size();
  const ssize_t got = recv(fd_.get(), buffer, std::min(sizeof buffer, room), 0);
  if (got <= 0) {
    if (got == 0 || !NotYet()) stage_ = Stage::kOver;
    return false;
  }
  const std::size_t looked_at = head_.size() < 3 ? 0 : head_.size() - 3;
  head_.append(buffer, static_cast<std::size_t>(got));
  const auto end = head_.find("\r\n\r\n", looked_at);
  if (end == std::string::npos && head_.size() <= limits_->head_bytes) return true;
  if (end == std::string::npos) {
    Reply({431, "text/plain; charset=utf-8", "request header too large\n"}, false, now);
    return true;
  }
  const auto parsed = ParseHead(std::string_view(head_).substr(0, end));
  if (const auto* complaint = std::get_if<HttpReply>(&parsed)) {
    Reply(*complaint, false, now);
    return true;
  }
  const auto& request = std::get<HttpRequest>(parsed);
  HttpReply reply;
  try {
    reply = answer(request, local_);
  } catch (const std::exception& error) {  // a page that fails must not end the agent
    reply = {500, "text/plain; charset=utf-8",
             std::string("cannot render the page: ") + error.what() + "\n"};
  }
  Reply(reply, request.head, now);
  return true;
}

void Connection::Reply(const HttpReply& reply, bool head, SteadyTime now) {
  std::string().swap(head_);
  reply_ = Serialise(reply, head);
  stage_ = Stage::kReply;
  deadline_ = now + limits_->reply_time;
}

bool Connection::SendReply(SteadyTime now) {
  const ssize_t went = send(fd_.get(), reply_.data() + sent_, reply_.size() - sent_, MSG_NOSIGNAL);
  if (went < 0) {
    if (!NotYet()) stage_ = Stage::kOver;
    return false;
  }
  sent_ += static_cast<std::size_t>(went);
  if (sent_ < reply_.size()) return true;
  // Closing while something is unread would reset the connection, and the client might lose its
  // reply (RFC 9112, 9.6).
  shutdown(fd_.get(), SHUT_WR);
  std::string().swap(reply_);
  sent_ = 0;
  stage_ = Stage::kHangUp;
  deadline_ = now + limits_->hang_up_time;
  return true;
}

bool Connection::AwaitEnd() {
  char unread[4096];
  const ssize_t got = recv(fd_.get(), unread, sizeof unread, 0);
  if (got == 0 || (got < 0 && !NotYet())) stage_ = Stage::kOver;
  if (got > 0) ignored_ += static_cast<std::size_t>(got);
  if (ignored_ > kIgnoredBytes) stage_ = Stage::kOver;
  return false;  // let other clients proceed
}

}  // namespace imagesweep
