#pragma once

#include <grpc/support/time.h>
#include <grpcpp/grpcpp.h>

#include <cstddef>
#include <memory>
#include <stop_token>
#include <string_view>
#include <utility>

#include "agent/base/clock.h"
#include "agent/base/result.h"
#include "agent/runtime/cri/connection.h"

namespace imagesweep::cri {

// Maps a gRPC status code to an error kind.
ErrorKind KindOf(grpc::StatusCode code);
// The name of the code: "OK", "DEADLINE_EXCEEDED", …
std::string_view CodeName(grpc::StatusCode code);

// The limit for the sum of all streamed messages of one call. It keeps a faulty runtime from
// exhausting the memory of the node.
constexpr std::size_t kMaxStreamBytes = std::size_t{64} << 20;

// All calls to the CRI go through this class. The calls of one object share one deadline (on the
// monotonic clock, so a change of the wall clock does not move it) and one stop token, which
// cancels them. An error names its call. The observer is told of every call. A reply is ignored
// unless its status is OK.
class Calls {
 public:
  Calls(const Connection& connection, Millis limit, const std::stop_token& stop);

  template <typename Stub, typename Request, typename Reply>
  Result<Reply> UnaryCall(std::string_view method, Stub& stub,
                          grpc::Status (Stub::*call)(grpc::ClientContext*, const Request&, Reply*),
                          const Request& request) const {
    if (stop_.stop_requested()) return Stopped(method);
    grpc::ClientContext context;
    context.set_deadline(deadline_);
    const auto started = gpr_now(GPR_CLOCK_MONOTONIC);
    Reply reply;
    grpc::Status status;
    {
      const std::stop_callback cancel(stop_, [&context] { context.TryCancel(); });
      status = (stub.*call)(&context, request, &reply);
    }
    Observe(method, status.error_code(), started);
    if (!status.ok()) return Explain(method, status);
    return reply;
  }

  // The same for a stream of replies: passes each reply to `take`. Returns false if the runtime
  // does not implement the call. After an error, discard everything that `take` received.
  template <typename Stub, typename Request, typename Reply, typename Take>
  Result<bool> StreamingCall(std::string_view method, Stub& stub,
                             std::unique_ptr<grpc::ClientReader<Reply>> (Stub::*call)(
                                 grpc::ClientContext*, const Request&),
                             const Request& request, Take&& take) const {
    if (stop_.stop_requested()) return Stopped(method);
    grpc::ClientContext context;
    context.set_deadline(deadline_);
    const auto started = gpr_now(GPR_CLOCK_MONOTONIC);
    std::size_t bytes = 0;
    grpc::Status status;
    {
      const std::stop_callback cancel(stop_, [&context] { context.TryCancel(); });
      const auto reader = (stub.*call)(&context, request);
      for (Reply reply; bytes <= kMaxStreamBytes && reader->Read(&reply);) {
        bytes += reply.ByteSizeLong();
        take(std::move(reply));
        reply.Clear();
      }
      if (bytes > kMaxStreamBytes) context.TryCancel();
      status = reader->Finish();
    }
    if (bytes > kMaxStreamBytes)
      status = {grpc::StatusCode::RESOURCE_EXHAUSTED, "the stream is larger than 64 MiB"};
    Observe(method, status.error_code(), started);
    if (status.error_code() == grpc::StatusCode::UNIMPLEMENTED && bytes == 0) return false;
    if (!status.ok()) return Explain(method, status);
    return true;
  }

 private:
  Error Stopped(std::string_view method) const;
  Error Explain(std::string_view method, const grpc::Status& status) const;
  void Observe(std::string_view method, grpc::StatusCode code, gpr_timespec started) const;

  const Connection& connection_;
  const Millis limit_;
  const gpr_timespec deadline_;
  const std::stop_token stop_;
};

}  // namespace imagesweep::cri
