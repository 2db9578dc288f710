#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "agent/base/clock.h"
#include "agent/runtime/cri/endpoint.h"

namespace grpc {
class Channel;
}

namespace imagesweep::cri {

// Called after every finished call with the name of the method ("ListImages"), the gRPC name of the
// result ("OK", "UNAVAILABLE", …), and the duration. It runs on the thread of the call, so it must
// return quickly.
using CallObserver =
    std::function<void(std::string_view method, std::string_view code, double seconds)>;

struct ConnectionOptions {
  // The deadline of one read, which may make several calls. The kubelet's runtimeRequestTimeout is
  // two minutes as well.
  Millis read_timeout = std::chrono::minutes(2);
  // For one removal. A runtime deletes large images synchronously.
  Millis remove_timeout = std::chrono::minutes(2);
  // A larger reply is an error. Runtimes send at most 16 MiB, and the kubelet receives no more
  // (cri-client/pkg/utils.go). The default of gRPC, 4 MiB, is too small for a large node.
  int max_reply_bytes = 16 << 20;
  CallObserver observer;  // may be empty
};

// One gRPC channel to one runtime. It connects at the first call and reconnects after a restart of
// the runtime (back-off of 100 ms to 3 s, as in the kubelet), so creating one never fails.
// Thread-safe.
class Connection {
 public:
  explicit Connection(Endpoint endpoint, ConnectionOptions options = {});
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  const Endpoint& endpoint() const noexcept { return endpoint_; }
  const ConnectionOptions& options() const noexcept { return options_; }

  // The generated stubs. stubs.h defines them, so that no gRPC header leaves this folder.
  struct Stubs;
  Stubs& stubs() const noexcept { return *stubs_; }
  // For other services on the same socket.
  const std::shared_ptr<grpc::Channel>& channel() const noexcept;

 private:
  const Endpoint endpoint_;
  const ConnectionOptions options_;
  const std::unique_ptr<Stubs> stubs_;
};

}  // namespace imagesweep::cri
