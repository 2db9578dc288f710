#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "agent/model/plan.h"
#include "agent/plan/scene.h"

namespace imagesweep {

// One question about one image, in the order of the verdicts: the first that applies decides.
// Deciding and explaining read the same table, so an explanation cannot differ from the decision.
struct Question {
  Code code;
  Verdict verdict;  // when it applies
  bool (*applies)(const Scene&, std::uint32_t image);
  // One line: the evidence when it applies, and when it does not, what was looked at.
  std::string (*evidence)(const Scene&, std::uint32_t image, bool applies);
};

// InUse, Pinned, Sandbox, Self, Workload, KeepRule, LocalOnly, TooYoung, Retained, Unknown, Rule,
// Dangling, Superseded, Age.  Space and limits depend on the other images too and are the
// planner's.
std::span<const Question> Questions();

// Of an image that Superseded applies to: the name that tells what replaced it.
const NameStanding& SupersededName(const Scene& scene, std::uint32_t image);

// A signature, attestation or SBOM of another image that is here: it stays as long as that does.
bool FollowsSubject(const Scene& scene, std::uint32_t image);

}  // namespace imagesweep
