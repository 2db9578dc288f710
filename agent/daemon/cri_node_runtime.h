#pragma once

#include <memory>

#include "agent/daemon/node_runtime.h"
#include "agent/runtime/cri/connection.h"

namespace imagesweep {

// A runtime that CRI serves.  On containerd, its own services on the same socket are used too.  On
// another runtime, they do not exist: layers are not reported, and images go through the CRI.
// `clock` must outlive the result.
std::unique_ptr<NodeRuntime> MakeCriNodeRuntime(std::shared_ptr<cri::Connection> connection,
                                                const Clock& clock);

}  // namespace imagesweep
