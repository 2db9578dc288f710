#include "agent/report/documents/held_back.h"

#include <array>

#include "agent/base/quantity.h"
#include "agent/model/verdict_codes.h"

namespace imagesweep {
namespace {

// In the order of the output.
constexpr std::array kHeldBack{Code::kTooYoung, Code::kLocalOnly, Code::kRetained};

}  // namespace

std::vector<HeldBack> FindHeldBack(const Report& report) {
  std::vector<HeldBack> groups;
  for (const Code code : kHeldBack) {
    HeldBack group{code, 0, 0, std::string(RowOf(code).release)};
    for (const Decision& decision : report.plan.decisions) {
      if (decision.code != code || decision.verdict != Verdict::kKeep) continue;
      ++group.images;
      group.bytes += report.observation.images[decision.image].size_bytes;
    }
    if (group.images > 0) groups.push_back(std::move(group));
  }
  return groups;
}

std::string HeldBackText(const Report& report, std::uint64_t missing) {
  std::string text;
  for (const HeldBack& group : FindHeldBack(report)) {
    text += RowOf(group.code).held_back_as;
    text += ": " + std::to_string(group.images) + (group.images == 1 ? " image, " : " images, ") +
            HumanBytes(group.bytes) +
            (missing > 0 && group.bytes >= missing ? ", enough by itself" : "") +
            ". To remove them, " + group.release + ".\n";
  }
  return text;
}

}  // namespace imagesweep
