#include "agent/runtime/containerd/call.h"

namespace imagesweep::containerd {
namespace {

ErrorKind KindOf(grpc::StatusCode code) {
  switch (code) {
    case grpc::StatusCode::UNIMPLEMENTED:
      return ErrorKind::kInvalid;
    case grpc::StatusCode::NOT_FOUND:
      return ErrorKind::kNotFound;
    case grpc::StatusCode::UNAVAILABLE:
    case grpc::StatusCode::CANCELLED:  // not canceled here: Go servers cancel during shutdown
      return ErrorKind::kUnavailable;
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      return ErrorKind::kDeadline;
    case grpc::StatusCode::PERMISSION_DENIED:
    case grpc::StatusCode::UNAUTHENTICATED:
      return ErrorKind::kDenied;
    case grpc::StatusCode::RESOURCE_EXHAUSTED:
      return ErrorKind::kIncomplete;
    default:
      return ErrorKind::kInternal;
  }
}

}  // namespace

Calls::Calls(Millis limit, const std::stop_token& stop)
    : deadline_(gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                             gpr_time_from_millis(limit.count(), GPR_TIMESPAN))),
      stop_(stop) {}

void Calls::Prepare(grpc::ClientContext& context, const std::string& name_space) const {
  context.set_deadline(deadline_);
  if (!name_space.empty()) context.AddMetadata("containerd-namespace", name_space);
}

Error Calls::Stopped(std::string_view method) const {
  return {ErrorKind::kCancelled, std::string(method) + ": shutting down"};
}

Error Calls::Explain(std::string_view method, const std::string& name_space,
                     const grpc::Status& status) const {
  if (stop_.stop_requested()) return Stopped(method);
  std::string what(method);
  if (!name_space.empty()) what += " " + name_space;
  return {KindOf(status.error_code()), what + ": " + status.error_message()};
}

}  // namespace imagesweep::containerd
