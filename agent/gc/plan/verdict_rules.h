#pragma once

#include <span>
#include <string>

#include "agent/gc/plan/plan_context.h"
#include "agent/model/plan.h"

namespace imagesweep {

// One question about an image, in the order of the verdicts: the first that applies decides.
// The planner and `explain` read the same table, so an explanation cannot differ from the decision.
struct VerdictRule {
  Code code;
  bool (*applies)(const PlanContext&, ImagePos image);
  // One line: why it applies, or why it does not.
  std::string (*evidence)(const PlanContext&, ImagePos image, bool applies);
};

// InUse, Pinned, Sandbox, Self, Workload, KeepRule, LocalOnly, TooYoung, Retained, Unknown, Rule,
// Dangling, Superseded, Age.  Space and limits also depend on other images, so the planner decides
// about them.
std::span<const VerdictRule> VerdictRules();

// For an image that Superseded applies to: the name that tells which image replaces it.
const TagRanking& SupersededName(const PlanContext& context, ImagePos image);

// True for a signature, attestation or SBOM of another image on this node.  It stays as long as
// that image does.
bool FollowsSubject(const PlanContext& context, ImagePos image);

}  // namespace imagesweep
