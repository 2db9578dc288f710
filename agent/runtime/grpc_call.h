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

namespace imagesweep {

// The error kind of a call that failed and that this program did not cancel. CANCELLED is thus
// kUnavailable: Go servers cancel calls during shutdown. UNIMPLEMENTED is kInvalid.
ErrorKind ErrorKindOf(grpc::StatusCode code);

// The calls to a runtime that share one deadline and one stop token, which cancels them. The
// deadline is on the monotonic clock, so a change of the wall clock does not move it. A reply is
// ignored unless its status is OK. Each adapter derives from it and says what is special about its
// server. Thread-safe.
class GrpcCalls {
 public:
  virtual ~GrpcCalls() = default;

  // An error names its call.
  template <typename Stub, typename Request, typename Reply>
  Result<Reply> UnaryCall(std::string_view method, Stub& stub,
                          grpc::Status (Stub::*call)(grpc::ClientContext*, const Request&, Reply*),
                          const Request& request) const {
    if (stop_.stop_requested()) return Stopped(method);
    grpc::ClientContext context;
    Prepare(context);
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

  const std::stop_token& stop() const { return stop_; }

 protected:
  // `max_stream_bytes` limits the sum of all messages of one stream. It keeps a faulty runtime from
  // exhausting the memory of the node.
  GrpcCalls(Millis limit, const std::stop_token& stop, std::size_t max_stream_bytes);
  GrpcCalls(const GrpcCalls&) = default;
  GrpcCalls& operator=(const GrpcCalls&) = delete;

  struct StreamEnd {
    grpc::Status status;
    std::size_t bytes = 0;  // of all messages
  };
  // Passes each message to `take`. If the status is not OK, `take` has received a part of them. The
  // only error is that of a call that did not begin.
  template <typename Stub, typename Request, typename Reply, typename Take>
  Result<StreamEnd> Stream(std::string_view method, Stub& stub,
                           std::unique_ptr<grpc::ClientReader<Reply>> (Stub::*call)(
                               grpc::ClientContext*, const Request&),
                           const Request& request, Take&& take) const {
    if (stop_.stop_requested()) return Stopped(method);
    grpc::ClientContext context;
    Prepare(context);
    const auto started = gpr_now(GPR_CLOCK_MONOTONIC);
    StreamEnd end;
    {
      const std::stop_callback cancel(stop_, [&context] { context.TryCancel(); });
      const auto reader = (stub.*call)(&context, request);
      for (Reply reply; end.bytes <= max_stream_bytes_ && reader->Read(&reply);) {
        end.bytes += reply.ByteSizeLong();
        take(std::move(reply));
        reply.Clear();
      }
      if (end.bytes > max_stream_bytes_) context.TryCancel();
      end.status = reader->Finish();
    }
    if (end.bytes > max_stream_bytes_) end.status = StreamTooLarge();
    Observe(method, end.status.error_code(), started);
    return end;
  }

  // Sets the deadline. An adapter adds its metadata.
  virtual void Prepare(grpc::ClientContext& context) const;
  virtual Error Explain(std::string_view method, const grpc::Status& status) const = 0;
  // Is told of every call that was made.
  virtual void Observe(std::string_view /*method*/, grpc::StatusCode /*code*/,
                       gpr_timespec /*started*/) const {}
  Error Stopped(std::string_view method) const;

 private:
  grpc::Status StreamTooLarge() const;

  const gpr_timespec deadline_;
  const std::stop_token stop_;
  const std::size_t max_stream_bytes_;
};

}  // namespace imagesweep
