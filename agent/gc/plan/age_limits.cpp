#include "agent/gc/plan/age_limits.h"

#include <algorithm>

namespace imagesweep {
namespace {

// The longest minimum age of the image's names.
Millis MinimumOfNames(const PlanContext& context, ImagePos at, Millis of_the_policy) {
  Millis limit = Millis::zero();
  for (const TagRanking& ranking : context.names(at))
    limit =
        std::max(limit, ranking.rule != nullptr ? ranking.rule->minimum_age.value_or(of_the_policy)
                                                : of_the_policy);
  return limit;
}

}  // namespace

Millis MinimumAge(const PlanContext& context, ImagePos at) {
  return MinimumOfNames(context, at, context.policy().minimum_age);
}

Millis MinimumAgeWhenCritical(const PlanContext& context, ImagePos at) {
  const Policy& policy = context.policy();
  return MinimumOfNames(context, at,
                        std::min(policy.minimum_age, policy.disk.critical.minimum_age));
}

Millis MaximumAge(const PlanContext& context, ImagePos at) {
  Millis limit = Millis::zero();
  for (const TagRanking& ranking : context.names(at)) {
    const Millis its = ranking.rule != nullptr
                           ? ranking.rule->maximum_age.value_or(context.policy().maximum_age)
                           : context.policy().maximum_age;
    if (its == Millis::zero()) return its;
    limit = std::max(limit, its);
  }
  return limit;
}

Millis OldEnoughIn(const PlanContext& context, ImagePos at) {
  return std::max(MinimumAge(context, at) - context.age(at).watched_unused_for, Millis::zero());
}

}  // namespace imagesweep
