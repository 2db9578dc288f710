#pragma once

#include <functional>
#include <string>

#include "agent/server/http/request.h"
#include "agent/server/http/socket.h"

namespace imagesweep {

// One client: reads the head of its request, sends the reply, waits for the close.  Never blocks;
// every stage has a deadline.
class Connection {
 public:
  using Answer = std::function<HttpReply(const HttpRequest&, bool local)>;

  Connection(Peer peer, const HttpLimits& limits, SteadyTime now);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Advances as far as possible; call it when poll(2) reports `events()` on `fd()`, and after
  // Accept.
  void Advance(const Answer& answer, SteadyTime now);

  // Closes now, also with unsent data.
  void Drop();

  int fd() const { return fd_.get(); }
  short events() const;
  bool over(SteadyTime now) const { return stage_ == Stage::kOver || now >= deadline_; }
  SteadyTime deadline() const { return deadline_; }
  std::size_t waiting_bytes() const { return reply_.size() - sent_; }

 private:
  enum class Stage { kHead, kReply, kHangUp, kOver };
  bool ReadHead(const Answer& answer, SteadyTime now);
  bool SendReply(SteadyTime now);
  bool AwaitEnd();
  void Reply(const HttpReply& reply, bool head, SteadyTime now);

  Fd fd_;
  const bool local_;
  const HttpLimits* limits_;
  Stage stage_ = Stage::kHead;
  SteadyTime deadline_;
  std::string head_;
  std::string reply_;
  std::size_t sent_ = 0;
  std::size_t ignored_ = 0;  // bytes received after the head
};

}  // namespace imagesweep
