#include "agent/model/policy.h"

#include <algorithm>
#include <utility>

namespace imagesweep {

std::string_view ToString(Profile profile) {
  switch (profile) {
    case Profile::kConservative:
      return "Conservative";
    case Profile::kBalanced:
      return "Balanced";
    case Profile::kAggressive:
      return "Aggressive";
  }
  return "Balanced";
}

Policy Policy::Default(Profile profile) {
  Policy policy;
  policy.profile = profile;
  if (auto local = ImageGlob::Parse("localhost/**"))
    policy.keep.images.push_back(*std::move(local));
  policy.keep.workloads.enabled = true;
  switch (profile) {
    case Profile::kConservative:
      policy.minimum_age = std::chrono::hours(24);
      policy.maximum_age = Millis::zero();
      policy.remove_superseded = false;
      policy.disk = {{80, 75}, {80, 75}, {}};
      policy.keep.tags = {"latest"};
      policy.keep.last_per_repository = 3;
      break;
    case Profile::kBalanced:
      break;
    case Profile::kAggressive:
      policy.minimum_age = std::chrono::minutes(10);
      policy.maximum_age = std::chrono::hours(24);
      policy.disk = {{60, 50}, {60, 50}, {}};
      policy.keep.last_per_repository = 1;
      policy.keep.local_only = LocalOnly::kUnlessSuperseded;
      break;
  }
  return policy;
}

const Override* Policy::OverrideFor(const NodeLabels& labels) const {
  const auto selects = [&](const Override& candidate) {
    return std::ranges::all_of(candidate.node_selector, [&](const auto& wanted) {
      const auto label = labels.find(wanted.first);
      return label != labels.end() && label->second == wanted.second;
    });
  };
  const auto found = std::ranges::find_if(overrides, selects);
  return found == overrides.end() ? nullptr : &*found;
}

}  // namespace imagesweep
