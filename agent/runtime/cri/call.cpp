#include "agent/runtime/cri/call.h"

#include <string>

#include "agent/base/duration.h"
#include "agent/runtime/socket.h"

namespace imagesweep::cri {

namespace {

constexpr std::size_t kMaxStreamBytes = std::size_t{64} << 20;

// The name of the code: "OK", "DEADLINE_EXCEEDED", …
std::string_view CodeName(grpc::StatusCode code) {
  constexpr std::string_view kNames[] = {"OK",
                                         "CANCELLED",
                                         "UNKNOWN",
                                         "INVALID_ARGUMENT",
                                         "DEADLINE_EXCEEDED",
                                         "NOT_FOUND",
                                         "ALREADY_EXISTS",
                                         "PERMISSION_DENIED",
                                         "RESOURCE_EXHAUSTED",
                                         "FAILED_PRECONDITION",
                                         "ABORTED",
                                         "OUT_OF_RANGE",
                                         "UNIMPLEMENTED",
                                         "INTERNAL",
                                         "UNAVAILABLE",
                                         "DATA_LOSS",
                                         "UNAUTHENTICATED"};
  const auto at = static_cast<std::size_t>(code);
  return at < std::size(kNames) ? kNames[at] : "UNKNOWN";
}

}  // namespace

Calls::Calls(const Connection& connection, Millis limit, const std::stop_token& stop)
    : GrpcCalls(limit, stop, kMaxStreamBytes), connection_(connection), limit_(limit) {}

Error Calls::Explain(std::string_view method, const grpc::Status& status) const {
  const auto code = status.error_code();
  const std::string name(method);
  const std::string said = status.error_message();
  const std::string& path = connection_.endpoint().path;
  switch (code) {
    case grpc::StatusCode::CANCELLED:
      if (stop().stop_requested()) return Stopped(method);
      // This program did not cancel the call: the runtime did, as Go servers do during shutdown.
      return {ErrorKind::kUnavailable, name + ": the runtime canceled the call: " + said};
    case grpc::StatusCode::UNAVAILABLE:
      // The status is the same for a missing socket and a starting runtime. The probe tells them
      // apart.
      if (auto why = ProbeSocket(path)) return std::move(*why).Wrap(method);
      return {ErrorKind::kUnavailable,
              name + ": the runtime at " + path + " is starting or stopping: " + said};
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      return {ErrorKind::kDeadline,
              name + ": no complete answer from " + path + " within " + FormatDuration(limit_)};
    case grpc::StatusCode::UNIMPLEMENTED:
      return {ErrorKind::kInternal, name + ": " + path + " does not speak CRI v1 (" + said +
                                        "); if this is containerd, enable its cri plugin; "
                                        "otherwise, set the socket with --runtime-endpoint"};
    default:
      return {ErrorKindOf(code), name + ": " + std::string(CodeName(code)) + ": " + said};
  }
}

void Calls::Observe(std::string_view method, grpc::StatusCode code, gpr_timespec started) const {
  if (!connection_.options().observer) return;
  const auto took = gpr_time_sub(gpr_now(GPR_CLOCK_MONOTONIC), started);
  connection_.options().observer(method, CodeName(code),
                                 static_cast<double>(took.tv_sec) + 1e-9 * took.tv_nsec);
}

}  // namespace imagesweep::cri
