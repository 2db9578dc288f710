#include "agent/plan/rule_warnings.h"

#include <algorithm>

namespace imagesweep {
namespace {

bool SelectsEveryName(const Selector& selector) {
  return selector.images.empty() && selector.tags.empty() && selector.tag_status == TagStatus::kAny;
}

std::string Called(const Policy& policy, std::size_t at) {
  const std::string place = "rules[" + std::to_string(at) + "]";
  return policy.rules[at].name.empty() ? place : place + " \"" + policy.rules[at].name + "\"";
}

}  // namespace

std::vector<std::string> RuleWarnings(const Policy& policy) {
  std::vector<std::string> warnings;
  const auto& rules = policy.rules;
  for (std::size_t at = 1; at < rules.size(); ++at) {
    const auto same = std::ranges::find(rules.begin(), rules.begin() + static_cast<long>(at),
                                        rules[at].name, &Rule::name);
    const auto first = static_cast<std::size_t>(same - rules.begin());
    if (first < at && !rules[at].name.empty())
      warnings.push_back(Called(policy, at) + " has the same name as rules[" +
                         std::to_string(first) + "], so reports cannot tell them apart");
  }
  const auto all = std::ranges::find_if(rules, SelectsEveryName, &Rule::selector);
  if (all != rules.end())
    for (auto at = static_cast<std::size_t>(all - rules.begin()) + 1; at < rules.size(); ++at)
      warnings.push_back(Called(policy, at) + " has no effect: " +
                         Called(policy, static_cast<std::size_t>(all - rules.begin())) +
                         " before it selects every name");
  const bool always = policy.keep.local_only == LocalOnly::kAlways &&
                      std::ranges::none_of(rules, [](const Rule& rule) {
                        return rule.local_only.value_or(LocalOnly::kAlways) != LocalOnly::kAlways;
                      });
  if (!policy.keep.archive.path.empty() && always)
    warnings.push_back(
        "keep.archive.path has no effect with keep.localOnly: Always, because only images that "
        "cannot be pulled again are archived, and Always keeps all of them");
  return warnings;
}

}  // namespace imagesweep
