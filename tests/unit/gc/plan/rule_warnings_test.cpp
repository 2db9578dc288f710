#include "agent/gc/plan/policy_warnings.h"

#include <gmock/gmock.h>

namespace imagesweep {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Rule Named(const char* name, RuleAction action, std::vector<std::string> tags = {}) {
  Rule rule;
  rule.name = name;
  rule.action = action;
  rule.selector.tags = std::move(tags);
  return rule;
}

TEST(RuleWarnings, WarnOfRulesBehindOneThatSelectsEverything) {
  Policy policy;
  policy.rules = {Named("some", RuleAction::kKeep, {"v*"}), Named("all", RuleAction::kEvaluate)};
  EXPECT_THAT(RuleWarnings(policy), IsEmpty());
  policy.rules.push_back(Named("late", RuleAction::kKeep, {"stable"}));
  EXPECT_THAT(
      RuleWarnings(policy),
      ElementsAre("rules[2] \"late\" has no effect: rules[1] \"all\" before it selects every "
                  "name"));
}

TEST(RuleWarnings, WarnOfRepeatedRuleNames) {
  Policy policy;
  policy.rules = {Named("", RuleAction::kKeep, {"a"}), Named("", RuleAction::kKeep, {"b"}),
                  Named("x", RuleAction::kKeep, {"c"}), Named("x", RuleAction::kRemove, {"d"})};
  EXPECT_THAT(RuleWarnings(policy),
              ElementsAre(HasSubstr("rules[3] \"x\" has the same name as rules[2]")));
}

TEST(RuleWarnings, WarnOfAnArchiveThatNoImageUses) {
  Policy policy;
  policy.keep.archive.path = "/var/archive";
  EXPECT_THAT(RuleWarnings(policy), ElementsAre(HasSubstr("keep.localOnly: Always")));
  policy.rules = {Named("scratch", RuleAction::kEvaluate, {"a"})};
  policy.rules[0].local_only = LocalOnly::kNever;
  EXPECT_THAT(RuleWarnings(policy), IsEmpty()) << "what the rule selects may go";
  policy.rules.clear();
  policy.keep.local_only = LocalOnly::kNever;
  EXPECT_THAT(RuleWarnings(policy), IsEmpty());
}

}  // namespace
}  // namespace imagesweep
