#include "agent/plan/untag.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

#include "agent/base/duration.h"
#include "agent/model/tag_index.h"

namespace imagesweep {
namespace {

// A tag for which a rule with Untag decides.
struct Tag {
  std::uint32_t image;
  const NameStanding* standing;
  std::string why;  // it stays; empty: it goes

  const ImageName& name() const { return *standing->name; }
  const Rule& rule() const { return *standing->untag; }
};

std::string WhyItsImageKeepsAll(const Scene& scene, const Decision& decision) {
  const auto at = decision.image;
  if (decision.verdict != Verdict::kKeep) return "its image is to go, now or later";
  if (scene.image(at).local_only()) return "nothing proves that its image can be pulled again";
  if (scene.image(at).pinned) return "its image is pinned";
  if (scene.is_sandbox(at)) return "its image is the pause image";
  if (scene.is_self(at)) return "its image is imagesweep's own";
  switch (decision.code) {
    case Code::kInUse:
    case Code::kWorkload:
    case Code::kKeepRule:
    case Code::kRetained:
    case Code::kUnknown:
    case Code::kIdle:
      return {};
    default:
      return "its image stays for now by " + std::string(ToString(decision.code));
  }
}

std::string WhyItIsKept(const KeepRules& keep, const Image& image, const ImageName& name) {
  for (const ImageGlob& glob : keep.images)
    if (glob.is_id() ? glob.Matches(image) : glob.Matches(name))
      return "keep.images has \"" + glob.text() + "\"";
  for (const std::string& glob : keep.tags)
    if (GlobMatches(glob, name.tag())) return "keep.tags has \"" + glob + "\"";
  return {};
}

Millis MinimumAge(const Scene& scene, const Rule& rule) {
  return rule.minimum_age.value_or(scene.policy().minimum_age);
}

std::string WhyItIsTooYoung(const Scene& scene, const Tag& tag) {
  const auto& ages = scene.seen().tag_ages;
  const auto age = ages.find(tag.name().text());
  if (age == ages.end()) return "it is the only tag of its repository on this image";
  const Millis needed = MinimumAge(scene, tag.rule());
  if (age->second.unused_for >= needed) return {};
  return "nothing has named it for " + HumanDuration(age->second.unused_for) +
         ", less than minimumAge " + FormatDuration(needed);
}

std::string WhyItStays(const Scene& scene, const Decision& decision, const Tag& tag) {
  if (std::string why = WhyItsImageKeepsAll(scene, decision); !why.empty()) return why;
  if (decision.code == Code::kRetained && tag.standing->retained())
    return "by this name its image is rollback room";
  if (std::string why = WhyItIsKept(scene.policy().keep, scene.image(tag.image), tag.name());
      !why.empty())
    return why;
  if (tag.rule().keep_last && tag.standing->untag_place <= *tag.rule().keep_last)
    return "keepLast " + std::to_string(*tag.rule().keep_last) + " of the rule: it is on version " +
           std::to_string(tag.standing->untag_place);
  return WhyItIsTooYoung(scene, tag);
}

std::vector<Tag> TagsOfRules(const Scene& scene, const Plan& plan) {
  std::vector<Tag> tags;
  for (const Decision& decision : plan.decisions) {
    for (const NameStanding& standing : scene.names(decision.image)) {
      if (standing.untag == nullptr || !standing.tagged) continue;
      Tag tag{decision.image, &standing, {}};
      tag.why = WhyItStays(scene, decision, tag);
      tags.push_back(std::move(tag));
    }
  }
  std::ranges::sort(tags, {}, [](const Tag& tag) {
    return std::pair(std::string_view(tag.name().text()), tag.image);
  });
  return tags;
}

void KeepTheNamed(const Observation& seen, std::vector<Tag>& tags) {
  std::vector<ImageName> names;
  names.reserve(tags.size());
  for (const Tag& tag : tags) names.push_back(tag.name());
  const TagIndex index(names);
  const auto keep = [&](const ImageReference& reference, const auto& by) {
    for (const auto at : index.NamedBy(reference))
      if (tags[at].why.empty()) tags[at].why = "named by " + by();
  };
  for (const ImageReference& reference : seen.references)
    keep(reference, [&] { return Describe(reference.by); });
  for (const WorkloadReference& workload : seen.workloads)
    keep({workload.text, {}, {}}, [&] { return Describe(workload); });
  for (const std::string& text : seen.sandbox_images)
    keep({text, {}, {}}, [] { return std::string("the pause image's setting"); });
  for (const std::string& text : seen.own_images)
    keep({text, {}, {}}, [] { return std::string("imagesweep's own pod"); });
}

// Of an image that would lose every tag of a repository the one that sorts last stays: so it has
// the same place there as before, as rollback room for one, and the repository is in use as before.
void KeepOneOfEach(const Scene& scene, std::vector<Tag>& tags) {
  std::map<std::pair<std::uint32_t, std::string_view>, std::vector<Tag*>> groups;
  for (Tag& tag : tags)
    if (tag.why.empty()) groups[{tag.image, tag.name().repository()}].push_back(&tag);
  for (const auto& entry : groups) {
    const auto& [image, repository] = entry.first;
    const std::vector<Tag*>& group = entry.second;
    const auto stays = [&, &its = repository](const ImageName& name) {
      return name.repository() == its &&
             std::ranges::none_of(group, [&](const Tag* tag) { return tag->name() == name; });
    };
    const bool keeps_one = std::ranges::any_of(scene.image(image).tags, stays);
    if (keeps_one) continue;
    const ImageName last = group.back()->name();
    for (Tag* tag : group)  // it may be listed twice
      if (tag->name() == last) tag->why = "it is the last tag of its repository on this image";
  }
}

void KeepTheRestForLater(const Scene& scene, std::vector<Tag>& tags) {
  const Policy& policy = scene.policy();
  const SystemTime now = scene.seen().at;
  std::string closed;
  if (!AnyContains(policy.windows, now)) {
    const auto next = NextOpening(policy.windows, now);
    closed = next ? "the next window opens at " + FormatTime(*next)
                  : "no window opens within eight days";
  }
  int going = 0;
  for (Tag& tag : tags) {
    if (!tag.why.empty()) continue;
    if (!closed.empty())
      tag.why = closed;
    else if (++going > policy.limits.max_images)
      tag.why = "this run is at limits.maxImages " + std::to_string(policy.limits.max_images);
  }
}

}  // namespace

bool AsksToUntag(const Policy& policy) {
  return std::ranges::find(policy.rules, RuleAction::kUntag, &Rule::action) != policy.rules.end();
}

std::vector<ImageName> TagsToWatch(const std::vector<Image>& images) {
  std::vector<ImageName> tags;
  for (const Image& image : images)
    for (const ImageName& tag : image.tags)
      if (std::ranges::any_of(image.tags, [&](const ImageName& other) {
            return other != tag && other.repository() == tag.repository();
          }))
        tags.push_back(tag);
  return tags;
}

void ChooseUntags(const Scene& scene, Plan& plan) {
  plan.untags.clear();
  plan.tags_that_stay.clear();
  if (!AsksToUntag(scene.policy())) return;
  std::vector<Tag> tags = TagsOfRules(scene, plan);
  KeepTheNamed(scene.seen(), tags);
  KeepOneOfEach(scene, tags);
  KeepTheRestForLater(scene, tags);
  for (std::size_t i = 0; i < tags.size(); ++i) {
    Tag& tag = tags[i];
    const auto at = static_cast<std::uint32_t>(&tag.name() - scene.image(tag.image).tags.data());
    if (!tag.why.empty())
      plan.tags_that_stay.push_back({tag.image, at, tag.rule().name, std::move(tag.why)});
    else if (i == 0 || tags[i - 1].image != tag.image || tags[i - 1].name() != tag.name())
      plan.untags.push_back({tag.image, at, tag.rule().name, MinimumAge(scene, tag.rule())});
  }
}

}  // namespace imagesweep
