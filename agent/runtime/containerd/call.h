#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "agent/runtime/grpc_call.h"

namespace imagesweep::containerd {

// Calls to containerd under one deadline. An error names its call and its namespace. kInvalid: the
// server does not implement the call. kNotFound: the requested object does not exist.
class Calls final : public GrpcCalls {
 public:
  // Calls to services without namespaces.
  Calls(Millis limit, const std::stop_token& stop);
  // The same deadline and stop token, for calls in this namespace.
  Calls In(std::string name_space) const;

  // Passes each message to `take`. After an error, `take` has received a part of them. `take` must
  // not call containerd: a stream holds a transaction of its database until it ends.
  template <typename Stub, typename Request, typename Reply, typename Take>
  Status StreamingCall(std::string_view method, Stub& stub,
                       std::unique_ptr<grpc::ClientReader<Reply>> (Stub::*call)(
                           grpc::ClientContext*, const Request&),
                       const Request& request, Take&& take) const {
    auto end = Stream(method, stub, call, request, std::forward<Take>(take));
    if (!end) return std::move(end).error();
    if (!end->status.ok()) return Explain(method, end->status);
    return Done{};
  }

  // For a bidirectional stream, which the caller creates: call Prepare before it, and Explain if it
  // failed.
  void Prepare(grpc::ClientContext& context) const override;
  Error Explain(std::string_view method, const grpc::Status& status) const override;

 private:
  std::string name_space_;
};

}  // namespace imagesweep::containerd
