#pragma once

#include <span>
#include <string>

#include "agent/gc/plan/plan_context.h"
#include "agent/model/plan.h"

namespace imagesweep {

// Defers candidates to a later run: outside of every window (unless disk use is critical),
// unavailable, not yet selected in enough consecutive evaluations, or over a limit.
// `evaluations`: the number of consecutive evaluations, including this one, that selected each
// image.  Empty: not considered.
void Defer(const PlanContext& context, const ByImage<int>& evaluations, Plan& plan);

// A warning that the plan, after Defer(), removes images outside of every window, and why.  Empty:
// it does not.
std::string WindowOverride(const PlanContext& context, const Plan& plan);

}  // namespace imagesweep
