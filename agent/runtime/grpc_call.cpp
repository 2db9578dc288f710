#include "agent/runtime/grpc_call.h"

#include <string>

namespace imagesweep {

ErrorKind ErrorKindOf(grpc::StatusCode code) {
  switch (code) {
    case grpc::StatusCode::UNIMPLEMENTED:
      return ErrorKind::kInvalid;
    case grpc::StatusCode::NOT_FOUND:
      return ErrorKind::kNotFound;
    case grpc::StatusCode::UNAVAILABLE:
    case grpc::StatusCode::CANCELLED:
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

GrpcCalls::GrpcCalls(Millis limit, const std::stop_token& stop, std::size_t max_stream_bytes)
    : deadline_(gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                             gpr_time_from_millis(limit.count(), GPR_TIMESPAN))),
      stop_(stop),
      max_stream_bytes_(max_stream_bytes) {}

void GrpcCalls::Prepare(grpc::ClientContext& context) const {
  context.set_deadline(deadline_);
}

Error GrpcCalls::Stopped(std::string_view method) const {
  return {ErrorKind::kCancelled, std::string(method) + ": shutting down"};
}

grpc::Status GrpcCalls::StreamTooLarge() const {
  return {grpc::StatusCode::RESOURCE_EXHAUSTED,
          "the stream is larger than " + std::to_string(max_stream_bytes_ >> 20U) + " MiB"};
}

}  // namespace imagesweep
