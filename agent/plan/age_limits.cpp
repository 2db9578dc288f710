#include "agent/plan/age_limits.h"

#include <algorithm>

namespace imagesweep {
namespace {

// The longest minimum age of the image's names.
Millis MinimumOfNames(const Scene& scene, std::uint32_t at, Millis of_the_policy) {
  Millis limit = Millis::zero();
  for (const NameStanding& standing : scene.names(at))
    limit = std::max(limit, standing.rule != nullptr
                                ? standing.rule->minimum_age.value_or(of_the_policy)
                                : of_the_policy);
  return limit;
}

}  // namespace

Millis MinimumAge(const Scene& scene, std::uint32_t at) {
  return MinimumOfNames(scene, at, scene.policy().minimum_age);
}

Millis MinimumAgeWhenCritical(const Scene& scene, std::uint32_t at) {
  const Policy& policy = scene.policy();
  return MinimumOfNames(scene, at, std::min(policy.minimum_age, policy.disk.critical.minimum_age));
}

Millis MaximumAge(const Scene& scene, std::uint32_t at) {
  Millis limit = Millis::zero();
  for (const NameStanding& standing : scene.names(at)) {
    const Millis its = standing.rule != nullptr
                           ? standing.rule->maximum_age.value_or(scene.policy().maximum_age)
                           : scene.policy().maximum_age;
    if (its == Millis::zero()) return its;
    limit = std::max(limit, its);
  }
  return limit;
}

Millis OldEnoughIn(const Scene& scene, std::uint32_t at) {
  return std::max(MinimumAge(scene, at) - scene.age(at).watched_unused_for, Millis::zero());
}

}  // namespace imagesweep
