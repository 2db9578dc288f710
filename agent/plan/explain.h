#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agent/model/plan.h"
#include "agent/plan/removal_time.h"
#include "agent/plan/scene.h"

namespace imagesweep {

// One question of the verdict order, asked of one image.
struct Step {
  Code code = Code::kIdle;
  bool applies = false;
  bool decides = false;  // the first that applies
  std::string evidence;
};

struct Explanation {
  std::vector<Step> steps;
  std::string what_would_change_it;
  std::optional<RemovalTime> goes;  // by time alone; empty: it goes already, or time is not enough
};

// Every question with its evidence, also those after the deciding one.  `plan` was made from
// `scene`.
Explanation Explain(const Scene& scene, const Plan& plan, std::uint32_t image);

}  // namespace imagesweep
