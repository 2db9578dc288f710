#pragma once

#include <cstdint>
#include <optional>

#include "agent/plan/scene.h"

namespace imagesweep {

// When an image goes by the passing of time alone.
struct RemovalTime {
  Millis in{0};            // from the observation on; more than zero
  SystemTime at;           // the same by the wall clock
  Code code = Code::kAge;  // why it goes then
};

// The time at which an image that stays by `plan` begins to go, if nothing uses it until then and
// nothing else on the node or in the policy changes.  Minimum and maximum ages of rules and policy,
// critical disk use, windows and limits all count, because the planner itself is asked: a plan one
// second later removes the image, and a plan one second earlier does not.  Empty: it goes already,
// or time alone does not make it go.  `plan` was made from `scene`.
//
// Costs several plans, so it is for one image.  Pure.
std::optional<RemovalTime> RemovalByTime(const Scene& scene, const Plan& plan, std::uint32_t image);

}  // namespace imagesweep
