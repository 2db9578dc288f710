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

// What all messages of one stream may be together: hundreds of thousands of objects.
constexpr std::size_t kMaxStreamBytes = std::size_t{256} << 20;

// The calls of one collection: they share a deadline, on the monotonic clock, and are cancelled by
// `stop`; an error names its call.  kInvalid: the other side does not offer the call; kNotFound:
// what was asked for does not exist.  Any thread.
class Calls {
 public:
  Calls(Millis limit, const std::stop_token& stop);

  // `name_space` is empty for the services that have none.
  template <typename Stub, typename Request, typename Reply>
  Result<Reply> Ask(std::string_view method, const std::string& name_space, Stub& stub,
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

  // Each message goes to `take`; after an error it has got a part of them.  `take` must not call
  // containerd: a stream holds a transaction of its database for as long as it runs.
  template <typename Stub, typename Request, typename Reply, typename Take>
  Status AskStream(std::string_view method, const std::string& name_space, Stub& stub,
                   std::unique_ptr<grpc::ClientReader<Reply>> (Stub::*call)(grpc::ClientContext*,
                                                                            const Request&),
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

  // For a stream in both directions, which its caller makes: before it and, when it failed, after.
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
