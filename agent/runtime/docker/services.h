#pragma once

#include <stop_token>
#include <vector>

#include "agent/base/result.h"
#include "agent/model/reference.h"
#include "agent/runtime/docker/client.h"

namespace imagesweep::docker {

// The images that the services of a swarm need, now and after a rollback (GET /services): a node
// may start a task of a service at any time. kIncomplete: this node is a worker, and only managers
// know the services.
Result<std::vector<ImageReference>> ReadServices(const Client& client, const std::stop_token& stop);

}  // namespace imagesweep::docker
