#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "agent/base/clock.h"
#include "agent/cri/endpoint.h"

namespace grpc {
class Channel;
}

namespace imagesweep::cri {

// Told of every finished call: the method's name ("ListImages"), gRPC's name of the result ("OK",
// "UNAVAILABLE", …) and how long it took.  Comes on the thread that made the call; be quick.
using CallObserver =
    std::function<void(std::string_view method, std::string_view code, double seconds)>;

struct ConnectionOptions {
  // What one question may take, all its calls together.  The kubelet's runtimeRequestTimeout is two
  // minutes as well.
  Millis read_timeout = std::chrono::minutes(2);
  // One removal; a runtime deletes big images synchronously.
  Millis remove_timeout = std::chrono::minutes(2);
  // A larger reply is an error.  16 MiB is what runtimes send at most and the kubelet receives
  // (cri-client/pkg/utils.go); gRPC's own default of 4 MiB is too small for a big node.
  int max_reply_bytes = 16 << 20;
  CallObserver observer;  // may be empty
};

// One gRPC channel to one runtime.  Connects when first used and again after a restart of the
// runtime (back-off 100 ms to 3 s, as the kubelet), so creating one never fails.  Any thread.
class Connection {
 public:
  explicit Connection(Endpoint endpoint, ConnectionOptions options = {});
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  const Endpoint& endpoint() const noexcept { return endpoint_; }
  const ConnectionOptions& options() const noexcept { return options_; }

  // The generated stubs; defined in stubs.h, so that no gRPC header gets out of this folder.
  struct Stubs;
  Stubs& stubs() const noexcept { return *stubs_; }
  // For what else the same socket serves.
  const std::shared_ptr<grpc::Channel>& channel() const noexcept;

 private:
  const Endpoint endpoint_;
  const ConnectionOptions options_;
  const std::unique_ptr<Stubs> stubs_;
};

}  // namespace imagesweep::cri
