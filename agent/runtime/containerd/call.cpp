#include "agent/runtime/containerd/call.h"

namespace imagesweep::containerd {
namespace {

// Enough for hundreds of thousands of objects.
constexpr std::size_t kMaxStreamBytes = std::size_t{256} << 20;

}  // namespace

Calls::Calls(Millis limit, const std::stop_token& stop) : GrpcCalls(limit, stop, kMaxStreamBytes) {}

Calls Calls::In(std::string name_space) const {
  Calls calls(*this);
  calls.name_space_ = std::move(name_space);
  return calls;
}

void Calls::Prepare(grpc::ClientContext& context) const {
  GrpcCalls::Prepare(context);
  if (!name_space_.empty()) context.AddMetadata("containerd-namespace", name_space_);
}

Error Calls::Explain(std::string_view method, const grpc::Status& status) const {
  if (stop().stop_requested()) return Stopped(method);
  std::string what(method);
  if (!name_space_.empty()) what += " " + name_space_;
  return {ErrorKindOf(status.error_code()), what + ": " + status.error_message()};
}

}  // namespace imagesweep::containerd
