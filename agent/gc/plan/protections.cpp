#include "agent/gc/plan/protections.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "agent/model/template_images.h"

namespace imagesweep {
namespace {

bool InUse(const PlanContext& context, ImagePos at) {
  return context.in_use(at);
}
// The number of other users.  A pod counts once, independent of its number of containers.
std::size_t OtherPods(const PlanContext& context, std::span<const std::uint32_t> users,
                      const ImageUser& named) {
  std::vector<const ImageUser*> others;
  for (const auto user : users) {
    const ImageUser& its = context.seen().references[user].by;
    if (!OfOnePod(its, named)) others.push_back(&its);
  }
  const auto key = [](const ImageUser* its) {
    return its->pod.empty() ? std::tuple<std::string_view, std::string_view, std::string_view>(
                                  its->pod_namespace, {}, its->container)
                            : std::tuple<std::string_view, std::string_view, std::string_view>(
                                  its->pod_namespace, its->pod, {});
  };
  std::ranges::sort(others, {}, key);
  const auto same = [&](const ImageUser* a, const ImageUser* b) { return key(a) == key(b); };
  return static_cast<std::size_t>(std::unique(others.begin(), others.end(), same) - others.begin());
}

std::string InUseEvidence(const PlanContext& context, ImagePos at, bool applies) {
  if (!applies) return "no pod, container, image volume or sandbox refers to it";
  const auto users = context.UsedBy(at);
  const auto by = [&](std::uint32_t user) -> const ImageUser& {
    return context.seen().references[user].by;
  };
  // Name a pod if there is one, because users know pods.  The choice among several is stable.
  const ImageUser& named = by(*std::ranges::min_element(users, {}, [&](std::uint32_t user) {
    const ImageUser& its = by(user);
    return std::tuple<ImageUserKind, std::string_view, std::string_view, std::string_view>(
        its.kind, its.pod_namespace, its.pod, its.container);
  }));
  std::string text;
  text.reserve(128);
  text.append("used by ").append(ToString(named.kind)).append(" ").append(Describe(named));
  if (const std::size_t others = OtherPods(context, users, named); others > 0)
    text.append(" and ").append(std::to_string(others)).append(" more");
  return text;
}

bool Pinned(const PlanContext& context, ImagePos at) {
  return context.image(at).pinned;
}
std::string PinnedEvidence(const PlanContext&, ImagePos, bool applies) {
  return applies ? "the runtime pins it" : "the runtime does not pin it";
}

bool Sandbox(const PlanContext& context, ImagePos at) {
  return context.is_sandbox(at);
}
std::string SandboxEvidence(const PlanContext&, ImagePos, bool applies) {
  return applies ? "the pause image: no pod can start without it" : "not the pause image";
}

bool Self(const PlanContext& context, ImagePos at) {
  return context.is_self(at);
}
std::string SelfEvidence(const PlanContext&, ImagePos, bool applies) {
  return applies ? "imagesweep's own image" : "not imagesweep's own image";
}

bool NeededByWorkload(const PlanContext& context, ImagePos at) {
  return context.wanted(at);
}
// "Deployment shop/api, revision 7 (2 back)".
std::string NeedText(const PlanContext& context, const WorkloadNeed& need) {
  const WorkloadReference& reference = context.seen().workloads[need.reference];
  std::string text = Describe(reference);
  const char* const zero = reference.scaled_to_zero ? "scaled to zero" : "";
  if (reference.revisions_back > 0)
    return text + " (" + std::to_string(reference.revisions_back) + " back" +
           (*zero != 0 ? ", " : "") + zero + ")";
  return *zero != 0 ? text + " (" + zero + ")" : text;
}
// The choice among several is stable: the latest revision, then by name.  Null: none names it.
const WorkloadNeed* FirstNeed(const PlanContext& context, ImagePos at) {
  const auto needs = context.NeededBy(at);
  if (needs.empty()) return nullptr;
  return &*std::ranges::min_element(needs, {}, [&](const WorkloadNeed& need) {
    return std::pair(!need.counts, context.seen().workloads[need.reference].revisions_back);
  });
}
// "named by CronJob shop/nightly as app:1, which admission may change to this name".
std::string PossibleNeedText(const PlanContext& context, const WorkloadNeed& need) {
  return "named by " + NeedText(context, need) + " as " +
         HowNameMayChange(context.seen().workloads[need.reference].text,
                          context.seen().short_name_aliases);
}
std::string WhyNotCounted(const KeepWorkloads& keep, const WorkloadReference& reference) {
  if (!keep.cron_jobs && reference.kind == "CronJob") return "keep.workloads.cronJobs is false";
  if (!keep.scaled_to_zero && reference.scaled_to_zero)
    return "keep.workloads.scaledToZero is false";
  return "keep.workloads.rollbackRevisions is " + std::to_string(keep.rollback_revisions);
}
std::string WantedEvidence(const PlanContext& context, ImagePos at, bool applies) {
  const KeepWorkloads& keep = context.policy().keep.workloads;
  if (!keep.enabled)
    return "keep.workloads is disabled or there is no cluster, so workloads are not checked";
  const WorkloadNeed* const named = FirstNeed(context, at);
  const WorkloadNeed* const possible = context.PossibleNeed(at);
  if (named == nullptr && possible == nullptr)
    return "no workload of the cluster names it (references checked: " +
           std::to_string(context.seen().workloads.size()) + ")";
  if (named == nullptr || (applies && !named->counts)) {
    std::string text = PossibleNeedText(context, *possible);
    if (applies) return text;
    return text + ", but " + WhyNotCounted(keep, context.seen().workloads[possible->reference]);
  }
  std::string text = NeedText(context, *named);
  if (!applies)
    return "named by " + text + ", but " +
           WhyNotCounted(keep, context.seen().workloads[named->reference]);
  const auto others = std::ranges::count_if(context.NeededBy(at), &WorkloadNeed::counts) - 1;
  if (others > 0) text += " and " + std::to_string(others) + " more";
  return "needed by " + text;
}

constexpr std::array kProtections{
    VerdictRule{Code::kInUse, InUse, InUseEvidence},
    VerdictRule{Code::kPinned, Pinned, PinnedEvidence},
    VerdictRule{Code::kSandbox, Sandbox, SandboxEvidence},
    VerdictRule{Code::kSelf, Self, SelfEvidence},
    VerdictRule{Code::kWorkload, NeededByWorkload, WantedEvidence},
};

}  // namespace

const std::array<VerdictRule, 5>& Protections() {
  return kProtections;
}

}  // namespace imagesweep
