#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agent/gc/plan/plan_context.h"
#include "agent/gc/plan/removal_time.h"
#include "agent/model/plan.h"

namespace imagesweep {

// One question of the verdict order with its answer for one image.
struct Step {
  Code code = Code::kIdle;
  bool applies = false;
  bool decides = false;  // the first that applies
  std::string evidence;
};

struct Explanation {
  std::vector<Step> steps;
  std::string what_would_change_it;
  // When time alone gets the image removed.  Empty: it is already removed, or time is not enough.
  std::optional<RemovalTime> goes;
};

// Answers every question with its evidence, including those after the deciding one.  `plan` must be
// made from `context`.
Explanation Explain(const PlanContext& context, const Plan& plan, ImagePos image);

}  // namespace imagesweep
