#pragma once

#include <optional>

#include "agent/gc/plan/plan_context.h"

namespace imagesweep {

// When an image becomes a removal through time alone.
struct RemovalTime {
  Millis in{0};            // since the observation; more than zero
  SystemTime at;           // the same by the wall clock
  Code code = Code::kAge;  // why it is removed then
};

// Returns the time from which a plan removes an image that `plan` keeps, if nothing uses it until
// then and nothing else on the node or in the policy changes.  Minimum and maximum ages of rules
// and policy, critical disk use, windows and limits all count, because the planner itself decides:
// a plan one second later removes the image, and a plan one second earlier does not.  Empty: `plan`
// removes it, or time alone is not enough.  `plan` must be made from `context`.
//
// Makes several plans, so use it for one image only.  Pure.
std::optional<RemovalTime> RemovalByTime(const PlanContext& context, const Plan& plan,
                                         ImagePos image);

}  // namespace imagesweep
