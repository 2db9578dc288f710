#pragma once

#include <span>
#include <string>

#include "agent/model/plan.h"
#include "agent/plan/scene.h"

namespace imagesweep {

// What would go, but not in this run: outside of every window (unless disk use is critical),
// unavailable, not wanted gone in enough evaluations in a row, or over a limit.  It waits for the
// next.
// `evaluations` is parallel to the images: in how many evaluations in a row, this one included,
// each was to go; empty: it does not matter.
void Defer(const Scene& scene, std::span<const int> evaluations, Plan& plan);

// That images of a plan, deferred already, go outside of every window, and why; empty: none does.
std::string WindowOverride(const Scene& scene, const Plan& plan);

}  // namespace imagesweep
