#include "agent/plan/untag.h"

#include <algorithm>
#include <span>
#include <string_view>
#include <tuple>
#include <utility>

#include "agent/model/tag_index.h"
#include "agent/plan/rule_finder.h"

namespace imagesweep {
namespace {

struct Candidate {
  std::uint32_t image;
  const NameStanding* standing;
};

const std::string& Text(const Candidate& candidate) {
  return candidate.standing->name->text();
}

bool MayLoseTags(const Scene& scene, const Decision& decision) {
  if (decision.verdict != Verdict::kKeep || scene.image(decision.image).local_only()) return false;
  const auto at = decision.image;
  if (scene.image(at).pinned || scene.is_sandbox(at) || scene.is_self(at)) return false;
  switch (decision.code) {
    case Code::kInUse:
    case Code::kWorkload:
    case Code::kKeepRule:
    case Code::kRetained:
    case Code::kUnknown:
    case Code::kIdle:
      return true;
    default:
      return false;
  }
}

bool IsKept(const Scene& scene, std::uint32_t at, const ImageName& name) {
  const KeepRules& keep = scene.policy().keep;
  return std::ranges::any_of(keep.images,
                             [&](const ImageGlob& glob) {
                               return glob.is_id() ? glob.Matches(scene.image(at))
                                                   : glob.Matches(name);
                             }) ||
         std::ranges::any_of(
             keep.tags, [&](const std::string& glob) { return GlobMatches(glob, name.tag()); });
}

Millis MinimumAge(const Scene& scene, const Rule& rule) {
  return rule.minimum_age.value_or(scene.policy().minimum_age);
}

// keepLast counts images, as everywhere: all tags of one of the newest stay.
bool IsAsked(const Scene& scene, const NameStanding& standing) {
  const Rule* const rule = standing.untag;
  if (rule == nullptr || !standing.tagged) return false;
  if (rule->keep_last && standing.untag_place <= *rule->keep_last) return false;
  const auto& ages = scene.seen().tag_ages;
  const auto age = ages.find(standing.name->text());
  return age != ages.end() && age->second.unused_for >= MinimumAge(scene, *rule);
}

std::vector<Candidate> AskedFor(const Scene& scene, const Plan& plan) {
  std::vector<Candidate> asked;
  for (const Decision& decision : plan.decisions) {
    if (!MayLoseTags(scene, decision)) continue;
    for (const NameStanding& standing : scene.names(decision.image)) {
      // As rollback room it stays by just this name.
      if (decision.code == Code::kRetained && standing.retained()) continue;
      if (IsAsked(scene, standing) && !IsKept(scene, decision.image, *standing.name))
        asked.push_back({decision.image, &standing});
    }
  }
  return asked;
}

void LeaveOutTheNamed(const Observation& seen, std::vector<Candidate>& asked) {
  std::vector<ImageName> names;
  for (const Candidate& candidate : asked) names.push_back(*candidate.standing->name);
  const TagIndex index(names);
  std::vector<bool> named(asked.size());
  const auto mark = [&](const ImageReference& reference) {
    for (const auto at : index.NamedBy(reference)) named[at] = true;
  };
  for (const ImageReference& reference : seen.references) mark(reference);
  for (const WorkloadReference& workload : seen.workloads) mark({workload.text, {}, {}});
  for (const auto* texts : {&seen.sandbox_images, &seen.own_images})
    for (const std::string& text : *texts) mark({text, {}, {}});
  std::size_t at = 0;
  std::erase_if(asked, [&](const Candidate&) { return named[at++]; });
}

bool SameTag(const Candidate& a, const Candidate& b) {
  return a.image == b.image && Text(a) == Text(b);
}

std::string_view RepositoryOf(const Candidate& candidate) {
  return candidate.standing->name->repository();
}

// Of an image that would lose every tag of a repository the one that sorts last stays: so it has
// the same place there as before, as rollback room for one, and the repository is in use as before.
void LeaveOneOfEach(const Scene& scene, std::vector<Candidate>& asked) {
  std::ranges::sort(asked, {}, [](const Candidate& candidate) {
    return std::tuple(candidate.image, RepositoryOf(candidate), std::string_view(Text(candidate)));
  });
  asked.erase(std::unique(asked.begin(), asked.end(), SameTag), asked.end());
  std::vector<Candidate> left;
  for (auto it = asked.begin(); it != asked.end();) {
    const auto end = std::find_if(it, asked.end(), [&](const Candidate& other) {
      return other.image != it->image || RepositoryOf(other) != RepositoryOf(*it);
    });
    const std::span<const Candidate> its(it, end);
    const bool keeps_one = std::ranges::any_of(scene.image(it->image).tags, [&](const auto& tag) {
      return tag.repository() == RepositoryOf(*it) &&
             std::ranges::find(its, tag.text(), Text) == its.end();
    });
    left.insert(left.end(), it, keeps_one ? end : end - 1);
    it = end;
  }
  asked = std::move(left);
}

}  // namespace

std::vector<ImageName> TagsToWatch(const Policy& policy, const std::vector<Image>& images) {
  if (std::ranges::find(policy.rules, RuleAction::kUntag, &Rule::action) == policy.rules.end())
    return {};
  RuleFinder finder(policy.rules);
  std::vector<ImageName> tags;
  for (const Image& image : images)
    for (const ImageName& tag : image.tags)
      if (finder.Find(image, &tag).untag != nullptr) tags.push_back(tag);
  return tags;
}

std::vector<NameToDrop> ChooseUntags(const Scene& scene, const Plan& plan) {
  const Policy& policy = scene.policy();
  if (scene.seen().tag_ages.empty() || !AnyContains(policy.windows, scene.seen().at)) return {};
  std::vector<Candidate> asked = AskedFor(scene, plan);
  LeaveOutTheNamed(scene.seen(), asked);
  LeaveOneOfEach(scene, asked);
  std::ranges::sort(asked, {}, Text);
  if (asked.size() > static_cast<std::size_t>(policy.limits.max_images))
    asked.resize(static_cast<std::size_t>(policy.limits.max_images));
  std::vector<NameToDrop> chosen;
  for (const Candidate& candidate : asked) {
    const auto& tags = scene.image(candidate.image).tags;
    const Rule& rule = *candidate.standing->untag;
    chosen.push_back({candidate.image,
                      static_cast<std::uint32_t>(candidate.standing->name - tags.data()), rule.name,
                      MinimumAge(scene, rule)});
  }
  return chosen;
}

}  // namespace imagesweep
