#include "agent/runtime/cri/detect.h"

#include <memory>
#include <string>
#include <utility>

#include "agent/runtime/cri/runtime.h"
#include "agent/runtime/socket.h"

namespace imagesweep::cri {

namespace {

Status Probe(const Endpoint& endpoint, const std::stop_token& stop, Millis patience) {
  if (auto why = ProbeSocket(endpoint.path)) return std::move(*why);
  Runtime runtime(std::make_shared<Connection>(
      endpoint, ConnectionOptions{.read_timeout = patience, .observer = {}}));
  auto identity = runtime.Identity(stop);
  if (identity) return Done{};
  if (identity.error().what.find(endpoint.path) != std::string::npos) return identity.error();
  return std::move(identity).error().Wrap(endpoint.path);
}

}  // namespace

Result<Endpoint> Detect(std::span<const Endpoint> candidates, const std::stop_token& stop,
                        Millis patience) {
  std::string tried;
  auto kind = ErrorKind::kUnavailable;
  for (const Endpoint& candidate : candidates) {
    auto answered = Probe(candidate, stop, patience);
    if (answered) return candidate;
    Error why = std::move(answered).error();
    if (why.kind == ErrorKind::kCancelled) return why;
    if (why.kind == ErrorKind::kDenied) kind = ErrorKind::kDenied;
    tried += "\n  " + why.what;
  }
  return Error{kind, "no container runtime found; name its socket with --runtime-endpoint. Tried:" +
                         (tried.empty() ? " nothing" : tried)};
}

Result<Endpoint> ChooseEndpoint(std::string_view flag, std::string_view prefix,
                                const std::stop_token& stop) {
  if (!flag.empty()) return ParseEndpoint(flag);
  return Detect(DefaultEndpoints(prefix), stop);
}

}  // namespace imagesweep::cri
