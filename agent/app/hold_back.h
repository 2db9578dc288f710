#pragma once

#include <optional>
#include <string>

#include "agent/base/clock.h"
#include "agent/model/evidence.h"
#include "agent/model/policy.h"

namespace imagesweep {

// What keeps a run from removing anything, though every source can be believed.  Pure.

// Why nothing is tried in this run (suspend, initialDelay); empty: it may begin.
std::string ReasonNotToBegin(const Policy& policy, const std::optional<Millis>& running_for);

// Docker has containers that no call of the CRI lists, and cri-dockerd takes the tags of their
// images before it fails: nothing is removed there while nobody asks Docker itself.
std::optional<Refusal> WhyNotOnThisRuntime(const RuntimeIdentity& runtime);

// Without Kubernetes removal is for hosts that have none: where a kubelet ran pods, some of them
// may need an image that no container shows yet.
std::optional<Refusal> WhyNotBlindly(const Evidence& evidence, const Policy& policy);

}  // namespace imagesweep
