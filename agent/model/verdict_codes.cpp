#include "agent/model/verdict_codes.h"

#include <algorithm>
#include <cstddef>

namespace imagesweep {
namespace {

constexpr std::string_view kUntilRemoved = "nothing; the policy decides when they are removed";
constexpr std::string_view kUseOrKeep = "use it in a pod, or add it to keep.images";

constexpr std::array kCodes{
    VerdictCode{
        .code = Code::kInUse,
        .verdict = Verdict::kKeep,
        .name = "InUse",
        .state = "in_use",
        .held_by = "pods and containers",
        .to_change =
            "delete the pods and containers that use it; no setting can remove an image in use"},
    VerdictCode{
        .code = Code::kPinned,
        .verdict = Verdict::kKeep,
        .name = "Pinned",
        .state = "pinned",
        .held_by = "the runtime, which has pinned them",
        .to_change =
            "unpin it in the configuration of the runtime; no setting can remove a pinned image"},
    VerdictCode{.code = Code::kSandbox,
                .verdict = Verdict::kKeep,
                .name = "Sandbox",
                .state = "sandbox",
                .held_by = "the runtime, which needs the pause image for every pod",
                .to_change = "nothing; no setting can remove this image"},
    VerdictCode{.code = Code::kSelf,
                .verdict = Verdict::kKeep,
                .name = "Self",
                .state = "kept",
                .held_by = "this agent, which runs from them",
                .to_change = "nothing; no setting can remove this image"},
    VerdictCode{.code = Code::kWorkload,
                .verdict = Verdict::kKeep,
                .name = "Workload",
                .state = "kept",
                .held_by = "workloads that will start them again",
                .to_change = "delete the workload, roll out newer revisions, lower "
                             "keep.workloads.rollbackRevisions, or set keep.workloads.enabled: "
                             "false"},
    VerdictCode{.code = Code::kKeepRule,
                .verdict = Verdict::kKeep,
                .name = "KeepRule",
                .state = "kept",
                .held_by = "the policy's keep section or a rule",
                .to_change = "remove the pattern or the rule that keeps it from the policy"},
    VerdictCode{.code = Code::kLocalOnly,
                .verdict = Verdict::kKeep,
                .name = "LocalOnly",
                .state = "kept",
                .held_by = "localOnly: no evidence proves that a registry has them",
                .to_change = "push it to a registry and pull it from there, or set localOnly: "
                             "Never in the keep section or in a rule that selects it",
                .held_back_as = "Cannot be pulled again",
                .release = "push them to a registry and pull them from there, or set "
                           "keep.localOnly: Never; to be able to restore them, also set "
                           "keep.archive.path",
                .verb_of_one = "stays",
                .verb_of_many = "stay",
                .advice = "because no evidence proves that a registry has a copy. Push to a "
                          "registry and pull from there, or set keep.localOnly: UnlessSuperseded "
                          "if you can build the images again. `imagesweep explain NAME` shows the "
                          "missing evidence."},
    VerdictCode{.code = Code::kTooYoung,
                .verdict = Verdict::kKeep,
                .name = "TooYoung",
                .state = "too_young",
                .held_by = "minimumAge",
                .held_back_as = "Too young",
                .release = "set --minimum-age=0s for one command, or lower minimumAge",
                .verb_of_one = "is",
                .verb_of_many = "are",
                .advice = "younger than the minimum age"},
    VerdictCode{.code = Code::kRetained,
                .verdict = Verdict::kKeep,
                .name = "Retained",
                .state = "kept",
                .held_by = "keep.lastPerRepository or keepLast: versions kept for rollback",
                .to_change = "pull newer versions of its tag scheme, or keep fewer versions",
                .held_back_as = "Kept for rollback",
                .release = "lower keep.lastPerRepository, or keepLast of the rule"},
    VerdictCode{.code = Code::kUnknown,
                .verdict = Verdict::kKeep,
                .name = "Unknown",
                .state = "kept",
                .held_by = "keep.unknown: no rule selects them",
                .to_change = "add a rule that selects it, or set keep.unknown: false"},
    VerdictCode{.code = Code::kRule,
                .verdict = Verdict::kRemove,
                .name = "Rule",
                .state = "candidate",
                .held_by = kUntilRemoved,
                .to_change = kUseOrKeep,
                .removal_reason = "rule",
                .keep_longer = "raise the rule's maximumAge"},
    VerdictCode{.code = Code::kDangling,
                .verdict = Verdict::kRemove,
                .name = "Dangling",
                .state = "candidate",
                .held_by = kUntilRemoved,
                .to_change = kUseOrKeep,
                .removal_reason = "dangling",
                .keep_longer = "set removeDangling: false"},
    VerdictCode{.code = Code::kSuperseded,
                .verdict = Verdict::kRemove,
                .name = "Superseded",
                .state = "candidate",
                .held_by = kUntilRemoved,
                .to_change = kUseOrKeep,
                .removal_reason = "superseded",
                .keep_longer = "raise keep.lastPerRepository"},
    VerdictCode{.code = Code::kAge,
                .verdict = Verdict::kRemove,
                .name = "Age",
                .state = "candidate",
                .held_by = kUntilRemoved,
                .to_change = kUseOrKeep,
                .removal_reason = "age",
                .keep_longer = "raise maximumAge"},
    VerdictCode{.code = Code::kSpace,
                .verdict = Verdict::kRemove,
                .name = "Space",
                .state = "candidate",
                .held_by = kUntilRemoved,
                .to_change = kUseOrKeep,
                .removal_reason = "space",
                .keep_longer = "raise minimumAge"},  // the youngest images are removed last
    VerdictCode{.code = Code::kCritical,
                .verdict = Verdict::kRemove,
                .name = "Critical",
                .state = "candidate",
                .held_by = kUntilRemoved,
                .to_change = kUseOrKeep,
                .removal_reason = "critical",
                .keep_longer = "raise diskUsage.critical.minimumAge"},
    VerdictCode{.code = Code::kIdle,
                .verdict = Verdict::kKeep,
                .name = "Idle",
                .state = "idle",
                .held_by = kUntilRemoved},
    VerdictCode{.code = Code::kWindow,
                .verdict = Verdict::kDefer,
                .name = "Window",
                .state = "candidate",
                .held_by = "the maintenance windows: removal waits for the next window",
                .to_change = "it is removed in the next run within a window",
                .verb_of_one = "waits",
                .verb_of_many = "wait",
                .advice = "for the next window."},
    VerdictCode{
        .code = Code::kLimit,
        .verdict = Verdict::kDefer,
        .name = "Limit",
        .state = "candidate",
        .held_by = "the limits of one run: removal waits for a later run",
        .to_change = "it is removed in a later run; raise the limit to remove it in this one",
        .verb_of_one = "waits",
        .verb_of_many = "wait",
        .advice = "for later runs because of the limits in the policy."},
    VerdictCode{.code = Code::kNoGain,
                .verdict = Verdict::kDefer,
                .name = "NoGain",
                .state = "idle",
                .held_by = "nothing, but their removal would free no space now",
                .to_change = "it is removed for space once its removal frees at least 1 MiB, for "
                             "example after the images that share its layers; any other reason of "
                             "the policy removes it at once"},
};

constexpr bool HasRowsInOrder() {
  for (std::size_t at = 0; at < kCodes.size(); ++at)
    if (static_cast<std::size_t>(kCodes[at].code) != at) return false;
  return true;
}

// Compilers write the name of an enumerator, and a cast for a number that has none.
template <Code C>
constexpr bool IsInEnum() {
  return std::string_view(__PRETTY_FUNCTION__).find("Code::k") != std::string_view::npos;
}

constexpr bool IsComplete(const VerdictCode& row) {
  const bool removes = row.verdict == Verdict::kRemove;
  return !row.name.empty() && !row.held_by.empty() &&
         std::ranges::find(kImageStates, row.state) != kImageStates.end() &&
         removes == !row.keep_longer.empty() &&
         removes ==
             (std::ranges::find(kRemovalReasons, row.removal_reason) != kRemovalReasons.end()) &&
         row.held_back_as.empty() == row.release.empty() &&
         row.advice.empty() == row.verb_of_one.empty() &&
         row.advice.empty() == row.verb_of_many.empty();
}

static_assert(HasRowsInOrder(), "the rows are not in the order of Code");
static_assert(IsInEnum<Code::kInUse>() && IsInEnum<kCodes.back().code>() &&
                  !IsInEnum<static_cast<Code>(kCodes.size())>(),
              "a code has no row");
static_assert(std::ranges::all_of(kCodes, IsComplete),
              "a row lacks a text, or has a word that is not in the lists");

}  // namespace

std::span<const VerdictCode> VerdictCodes() {
  return kCodes;
}

const VerdictCode& RowOf(Code code) {
  return kCodes[static_cast<std::size_t>(code)];
}

const VerdictCode* FindVerdictCode(std::string_view name) {
  const auto found = std::ranges::find(kCodes, name, &VerdictCode::name);
  return found == kCodes.end() ? nullptr : &*found;
}

}  // namespace imagesweep
