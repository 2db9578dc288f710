#pragma once

#include <grpc/support/time.h>
#include <grpcpp/grpcpp.h>

#include <cstddef>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

#include "agent/base/clock.h"
#include "agent/base/result.h"

namespace imagesweep::containerd {

// The limit for the sum of all messages of one stream: enough for hundreds of thousands of objects.
constexpr std::size_t kMaxStreamBytes = std::size_t{256} << 20;

// The calls of one collection. They share a deadline on the monotonic clock, and `stop` cancels
// them. An error names its call. kInvalid: the server does not implement the call. kNotFound: the
// requested object does not exist. Thread-safe.
class Calls {
 public:
  Calls(Millis limit, const std::stop_token& stop);

  // `name_space` is empty for services without namespaces.
  template <typename Stub, typename Request, typename Reply>
  Result<Reply> UnaryCall(std::string_view method, const std::string& name_space, Stub& stub,
                          grpc::Status (Stub::*call)(grpc::ClientContext*, const Request&, Reply*),
                          const Request& request) const {
    if (stop_.stop_requested()) return Stopped(method);
    grpc::ClientContext context;
    Prepare(context, name_space);
    Reply reply;
    grpc::Status status;
    {
      const std::stop_callback cancel(stop_, [&context] { context.TryCancel(); });
      status = (stub.*call)(&context, request, &reply);
    }
    if (!status.ok()) return Explain(method, name_space, status);
    return reply;
  }

  // Passes each message to `take`. After an error, `take` has received a part of them. `take` must
  // not call containerd: a stream holds a transaction of its database until it ends.
  template <typename Stub, typename Request, typename Reply, typename Take>
  Status StreamingCall(std::string_view method, const std::string& name_space, Stub& stub,
                       std::unique_ptr<grpc::ClientReader<Reply>> (Stub::*call)(
                           grpc::ClientContext*, const Request&),
                       const Request& request, Take&& take) const {
    if (stop_.stop_requested()) return Stopped(method);
    grpc::ClientContext context;
    Prepare(context, name_space);
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
      status = {grpc::StatusCode::RESOURCE_EXHAUSTED, "the stream is larger than 256 MiB"};
    if (!status.ok()) return Explain(method, name_space, status);
    return Done{};
  }

  // For a bidirectional stream, which the caller creates: call Prepare before it, and Explain if it
  // failed.
  void Prepare(grpc::ClientContext& context, const std::string& name_space) const;
  Error Explain(std::string_view method, const std::string& name_space,
                const grpc::Status& status) const;
  const std::stop_token& stop() const { return stop_; }

 private:
  Error Stopped(std::string_view method) const;

  const gpr_timespec deadline_;
  const std::stop_token stop_;
};

}  // namespace imagesweep::containerd
