#pragma once

#include <memory>
#include <string_view>
#include <utility>

#include "agent/runtime/cri/connection.h"
#include "agent/runtime/grpc_call.h"

namespace imagesweep::cri {

// All calls to the CRI go through this class. The observer of the connection is told of every call.
class Calls final : public GrpcCalls {
 public:
  Calls(const Connection& connection, Millis limit, const std::stop_token& stop);

  // Passes each reply of the stream to `take`. Returns false if the runtime does not implement the
  // call. After an error, discard everything that `take` received.
  template <typename Stub, typename Request, typename Reply, typename Take>
  Result<bool> StreamingCall(std::string_view method, Stub& stub,
                             std::unique_ptr<grpc::ClientReader<Reply>> (Stub::*call)(
                                 grpc::ClientContext*, const Request&),
                             const Request& request, Take&& take) const {
    auto end = Stream(method, stub, call, request, std::forward<Take>(take));
    if (!end) return std::move(end).error();
    if (end->status.error_code() == grpc::StatusCode::UNIMPLEMENTED && end->bytes == 0)
      return false;
    if (!end->status.ok()) return Explain(method, end->status);
    return true;
  }

 private:
  Error Explain(std::string_view method, const grpc::Status& status) const override;
  void Observe(std::string_view method, grpc::StatusCode code, gpr_timespec started) const override;

  const Connection& connection_;
  const Millis limit_;
};

}  // namespace imagesweep::cri
