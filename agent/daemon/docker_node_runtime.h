#pragma once

#include <memory>
#include <string>

#include "agent/daemon/node_runtime.h"
#include "agent/runtime/docker/client.h"

namespace imagesweep {

// A Docker Engine, through its API.  `clock` must outlive the result.
std::unique_ptr<NodeRuntime> MakeDockerNodeRuntime(std::unique_ptr<docker::Client> client,
                                                   const Clock& clock);

}  // namespace imagesweep
