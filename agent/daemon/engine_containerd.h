#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/result.h"
#include "agent/imagestore/graph/metadata_snapshot.h"
#include "agent/model/image.h"
#include "agent/runtime/docker/engine.h"

namespace imagesweep {

// The containerd in which a Docker Engine keeps its images.
struct EngineContainerd {
  std::string socket;  // as this process sees it
  std::string name_space;
  std::string snapshotter;

  friend bool operator==(const EngineContainerd&, const EngineContainerd&) = default;
};

// The paths at which the socket of the engine's containerd may be, most likely first. The engine
// reports the path that it uses itself. Where the host's files are mounted below a directory, the
// path of the engine's own socket tells that directory ("/host/run/docker.sock").
std::vector<std::string> ContainerdSockets(std::string_view reported,
                                           std::string_view engine_socket);

// By what the engine reports. kNotFound: it does not keep its images in containerd, or does not
// report which containerd (Docker before 27, API before 1.46). Other errors: no server listens on
// any of the paths, and why.
Result<EngineContainerd> FindEngineContainerd(const docker::EngineInfo& info,
                                              std::string_view engine_socket);

// Whether a containerd that was read is the engine's, because the same path may lead to another one
// in this process. Each image that the engine lists must have its records, with its tags, and the
// engine must list the target of each record. `before` and `after` are the engine's images before
// and after the read: what changed meanwhile proves nothing. kIncomplete: it is not, with the first
// difference.
Status CheckIsOfEngine(const layers::MetadataSnapshot& metadata, std::span<const Image> before,
                       std::span<const Image> after);

}  // namespace imagesweep
