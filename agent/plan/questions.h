#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "agent/model/plan.h"
#include "agent/plan/scene.h"

namespace imagesweep {

// One question about an image, in the order of the verdicts: the first that applies decides.
// The planner and `explain` read the same table, so an explanation cannot differ from the decision.
struct Question {
  Code code;
  Verdict verdict;  // when it applies
  bool (*applies)(const Scene&, std::uint32_t image);
  // One line: why it applies, or why it does not.
  std::string (*evidence)(const Scene&, std::uint32_t image, bool applies);
};

// InUse, Pinned, Sandbox, Self, Workload, KeepRule, LocalOnly, TooYoung, Retained, Unknown, Rule,
// Dangling, Superseded, Age.  Space and limits also depend on other images, so the planner decides
// about them.
std::span<const Question> Questions();

// For an image that Superseded applies to: the name that tells which image replaces it.
const NameStanding& SupersededName(const Scene& scene, std::uint32_t image);

// True for a signature, attestation or SBOM of another image on this node.  It stays as long as
// that image does.
bool FollowsSubject(const Scene& scene, std::uint32_t image);

}  // namespace imagesweep
