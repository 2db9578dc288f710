#include "agent/report/documents/held_back.h"

#include <array>

#include "agent/base/quantity.h"

namespace imagesweep {
namespace {

struct Kind {
  Code code;
  const char* label;
  const char* release;
};
constexpr std::array kKinds{
    Kind{Code::kTooYoung, "Too young", "set --minimum-age=0s for one command, or lower minimumAge"},
    Kind{Code::kLocalOnly, "Cannot be pulled again",
         "push them to a registry and pull them from there, or set keep.localOnly: Never; to be "
         "able to restore them, also set keep.archive.path"},
    Kind{Code::kRetained, "Kept for rollback",
         "lower keep.lastPerRepository, or keepLast of the rule"},
};

}  // namespace

std::vector<HeldBack> FindHeldBack(const Report& report) {
  std::vector<HeldBack> groups;
  for (const Kind& kind : kKinds) {
    HeldBack group{kind.code, 0, 0, kind.release};
    for (const Decision& decision : report.plan.decisions) {
      if (decision.code != kind.code || decision.verdict != Verdict::kKeep) continue;
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
    for (const Kind& kind : kKinds)
      if (kind.code == group.code) text += kind.label;
    text += ": " + std::to_string(group.images) + (group.images == 1 ? " image, " : " images, ") +
            HumanBytes(group.bytes) +
            (missing > 0 && group.bytes >= missing ? ", enough by itself" : "") +
            ". To remove them, " + group.release + ".\n";
  }
  return text;
}

}  // namespace imagesweep
