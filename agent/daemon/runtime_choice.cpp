#include <array>
#include <utility>

#include "agent/daemon/cri_node_runtime.h"
#include "agent/daemon/docker_node_runtime.h"
#include "agent/daemon/node_runtime.h"
#include "agent/runtime/cri/connection.h"
#include "agent/runtime/cri/detect.h"
#include "agent/runtime/cri/runtime.h"
#include "agent/runtime/docker/client.h"

namespace imagesweep {
namespace {

constexpr std::array kEngineSockets{"/run/docker.sock", "/var/run/docker.sock"};

std::unique_ptr<NodeRuntime> OpenEngine(const std::string& path, const RuntimeOptions& options,
                                        const Clock& clock) {
  return MakeDockerNodeRuntime(
      std::make_unique<docker::Client>(
          path, docker::ClientOptions{.timeout = options.timeout, .observer = options.observer}),
      clock);
}

// The default socket of the Docker Engine that answers.  Error: why none does.
Result<std::string> FindEngine(std::string_view prefix, const std::stop_token& stop) {
  while (prefix.ends_with('/')) prefix.remove_suffix(1);
  Error why;
  for (const char* path : kEngineSockets) {
    const std::string candidate = std::string(prefix) + path;
    auto answered = docker::ProbeEngine(candidate, stop);
    if (answered) return candidate;
    if (why.what.empty() || why.kind == ErrorKind::kUnavailable) why = std::move(answered).error();
  }
  return why;
}

std::shared_ptr<cri::Connection> Connect(cri::Endpoint endpoint, const RuntimeOptions& options) {
  cri::ConnectionOptions connection;
  connection.read_timeout = options.timeout;
  connection.remove_timeout = options.timeout;
  connection.observer = options.observer;
  return std::make_shared<cri::Connection>(std::move(endpoint), std::move(connection));
}

// The identity of the CRI runtime on this socket, within 10 s.
Result<RuntimeIdentity> Identify(const cri::Endpoint& endpoint, const std::stop_token& stop) {
  constexpr Millis kPatience = std::chrono::seconds(10);
  return cri::Runtime(
             std::make_shared<cri::Connection>(
                 endpoint, cri::ConnectionOptions{.read_timeout = kPatience, .observer = {}}))
      .Identity(stop);
}

}  // namespace

Result<std::unique_ptr<NodeRuntime>> OpenNodeRuntime(const RuntimeOptions& options,
                                                     const Clock& clock,
                                                     const std::stop_token& stop) {
  if (!options.endpoint.empty()) {
    auto endpoint = cri::ParseEndpoint(options.endpoint);
    if (!endpoint) return std::move(endpoint).error();
    const auto engine = docker::ProbeEngine(endpoint->path, stop);
    if (engine) return OpenEngine(endpoint->path, options, clock);
    const ErrorKind kind = engine.error().kind;
    if (kind == ErrorKind::kInvalid || kind == ErrorKind::kDenied) return engine.error();
    // A Docker Engine that is still starting must not be taken for a CRI runtime for good.
    if (options.must_answer)
      if (const auto identity = Identify(*endpoint, stop); !identity) return identity.error();
    return MakeCriNodeRuntime(Connect(*std::move(endpoint), options), clock);
  }
  auto endpoint = cri::ChooseEndpoint({}, options.host_prefix, stop);
  if (!endpoint) {
    auto engine = FindEngine(options.host_prefix, stop);
    if (engine) return OpenEngine(*engine, options, clock);
    Error both = std::move(endpoint).error();
    both.what += "\n  " + engine.error().what;
    return both;
  }
  auto connection = Connect(*std::move(endpoint), options);
  const auto identity = cri::Runtime(connection).Identity(stop);
  if (identity && !identity->lists_all_containers)
    if (const auto engine = FindEngine(options.host_prefix, stop))
      return OpenEngine(*engine, options, clock);
  return MakeCriNodeRuntime(std::move(connection), clock);
}

}  // namespace imagesweep
