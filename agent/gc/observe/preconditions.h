#pragma once

#include <optional>
#include <string>

#include "agent/base/clock.h"
#include "agent/model/evidence.h"
#include "agent/model/policy.h"

namespace imagesweep {

// Preconditions of a run that removes images, beyond complete evidence.  Pure.

// The reason why this run removes nothing (suspend, initialDelay); empty: it may begin.
std::string ReasonNotToBegin(const Policy& policy, const std::optional<Millis>& running_for);

// Refuses Docker: it has containers that the CRI does not list, and cri-dockerd removes the tags of
// their images before it fails.
std::optional<Refusal> CheckRuntime(const RuntimeIdentity& runtime);

// Refuses Docker (CheckRuntime).  Without Kubernetes, also refuses a host where a kubelet ran pods,
// because such a pod may need an image that no container uses yet, and a policy with overrides,
// because the labels of the node are not known.
std::optional<Refusal> CheckRemovalAllowed(const Evidence& evidence, const Policy& policy);

}  // namespace imagesweep
