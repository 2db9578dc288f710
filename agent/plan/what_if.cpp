#include "agent/plan/what_if.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "agent/plan/planner.h"
#include "agent/plan/questions.h"
#include "agent/plan/scene.h"

namespace imagesweep {
namespace {

bool IsRequired(const Decision& decision) {
  return decision.code == Code::kInUse || decision.code == Code::kPinned ||
         decision.code == Code::kSandbox || decision.code == Code::kSelf;
}

// Tells any two images apart.
std::pair<std::string_view, std::string_view> Name(const Observation& seen, std::uint32_t at) {
  return {seen.images[at].display_name(), seen.images[at].id.text()};
}

void Add(Amount& amount, const Image& image) {
  ++amount.images;
  amount.bytes += image.size_bytes;
}

Confidence ConfidenceOf(const ImageAge& age) {
  if (age.just_seen) return Confidence::kNone;
  if (age.unused_for >= std::chrono::days(7)) return Confidence::kHigh;
  return age.unused_for >= std::chrono::days(1) ? Confidence::kMedium : Confidence::kLow;
}

CleanupOption OptionOf(std::string name, const Observation& seen,
                       const std::vector<std::uint32_t>& removals) {
  CleanupOption option;
  option.name = std::move(name);
  for (const auto at : removals) {
    const Image& image = seen.images[at];
    Add(option.goes, image);
    if (image.local_only())
      option.lost.push_back(at);
    else
      Add(option.to_pull_again, image);
  }
  return option;
}

// What no container uses goes, whatever else may need it.
CleanupOption EverythingUnused(const Scene& scene) {
  std::vector<std::uint32_t> removals;
  for (std::uint32_t at = 0; at < scene.seen().images.size(); ++at) {
    const auto users = scene.UsedBy(at);
    const bool has_container = std::ranges::any_of(users, [&](std::uint32_t user) {
      return scene.seen().references[user].by.kind == ReferrerKind::kContainer;
    });
    if (!has_container && !scene.image(at).pinned) removals.push_back(at);
  }
  CleanupOption option = OptionOf("everything unused", scene.seen(), removals);
  for (const auto at : removals) {
    const bool needed = std::ranges::any_of(Questions(), [&](const Question& question) {
      return question.verdict == Verdict::kKeep && question.code != Code::kTooYoung &&
             question.applies(scene, at);
    });
    if (needed) option.breaks.push_back(at);
  }
  return option;
}

}  // namespace

Policy WithProfile(const Policy& policy, Profile profile) {
  Policy other = Policy::Default(profile);
  other.rules = policy.rules;
  other.limits = policy.limits;
  other.windows = policy.windows;
  other.size_limits = policy.size_limits;
  other.reporting = policy.reporting;
  other.dry_run = policy.dry_run;
  other.keep.images = policy.keep.images;
  other.keep.unknown = policy.keep.unknown;
  if (policy.keep.local_only != Policy::Default(policy.profile).keep.local_only)
    other.keep.local_only = policy.keep.local_only;
  for (const std::string& tag : policy.keep.tags)
    if (std::ranges::find(other.keep.tags, tag) == other.keep.tags.end())
      other.keep.tags.push_back(tag);
  return other;
}

std::vector<VerdictChange> Differences(const Observation& seen, const Plan& now, const Plan& then) {
  std::vector<VerdictChange> changes;
  for (std::size_t at = 0; at < now.decisions.size(); ++at) {
    const Decision& a = now.decisions[at];
    const Decision& b = then.decisions[at];
    if (a.verdict != b.verdict || a.code != b.code) changes.push_back({a.image, a, b});
  }
  std::ranges::sort(changes, {},
                    [&](const VerdictChange& change) { return Name(seen, change.image); });
  return changes;
}

Analysis Analyze(const Policy& policy, const Observation& seen) {
  const Scene scene(policy, seen);
  const Plan plan = Choose(scene);
  Analysis analysis;
  for (const Decision& decision : plan.decisions) {
    const Image& image = seen.images[decision.image];
    if (IsRequired(decision)) {
      analysis.required.push_back(decision.image);
      Add(analysis.required_total, image);
    } else {
      analysis.idle.push_back({decision.image, ConfidenceOf(seen.ages[decision.image])});
      Add(analysis.idle_total, image);
    }
  }
  std::ranges::sort(analysis.idle, [&](const IdleImage& a, const IdleImage& b) {
    if (a.confidence != b.confidence) return a.confidence > b.confidence;
    if (seen.images[a.image].size_bytes != seen.images[b.image].size_bytes)
      return seen.images[a.image].size_bytes > seen.images[b.image].size_bytes;
    return Name(seen, a.image) < Name(seen, b.image);
  });
  for (const Profile profile : {Profile::kConservative, Profile::kBalanced, Profile::kAggressive}) {
    const Policy its = WithProfile(policy, profile);
    const Plan choice = Choose(Scene(its, seen));
    analysis.options.push_back(OptionOf(std::string(ToString(profile)), seen, choice.removals));
  }
  const bool balanced_loses = !analysis.options[1].lost.empty();
  analysis.options[balanced_loses ? 0 : 1].recommended = true;
  analysis.options.push_back(EverythingUnused(scene));
  return analysis;
}

}  // namespace imagesweep
