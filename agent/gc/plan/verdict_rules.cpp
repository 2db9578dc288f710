#include "agent/gc/plan/verdict_rules.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "agent/base/duration.h"
#include "agent/gc/plan/age_limits.h"
#include "agent/gc/plan/protections.h"
#include "agent/gc/plan/tag_ranking.h"

namespace imagesweep {
namespace {

const ImageGlob* KeepGlob(const PlanContext& context, ImagePos at) {
  const auto& globs = context.policy().keep.images;
  const auto it = std::ranges::find_if(
      globs, [&](const ImageGlob& glob) { return glob.Keeps(context.image(at)); });
  return it == globs.end() ? nullptr : &*it;
}
const std::string* KeepTag(const PlanContext& context, ImagePos at) {
  for (const auto& pattern : context.policy().keep.tags)
    for (const ImageName& name : context.image(at).tags)
      if (GlobMatches(pattern, name.tag())) return &pattern;
  return nullptr;
}
const Rule* RuleThatKeeps(const PlanContext& context, ImagePos at) {
  for (const TagRanking& ranking : context.names(at))
    if (ranking.rule != nullptr && ranking.rule->action == RuleAction::kKeep) return ranking.rule;
  return nullptr;
}
bool KeepRule(const PlanContext& context, ImagePos at) {
  return KeepGlob(context, at) != nullptr || KeepTag(context, at) != nullptr ||
         RuleThatKeeps(context, at) != nullptr;
}
// The first rule that selects one of its names.  Later rules do not apply.
const Rule* FirstRule(const PlanContext& context, ImagePos at) {
  for (const TagRanking& ranking : context.names(at))
    if (ranking.rule != nullptr) return ranking.rule;
  return nullptr;
}
std::string KeepRuleEvidence(const PlanContext& context, ImagePos at, bool applies) {
  if (!applies) {
    const std::string text = "no pattern of keep.images or keep.tags matches, and ";
    const Rule* const rule = FirstRule(context, at);
    if (rule == nullptr) return text + "no rule keeps it";
    return text + (rule->name.empty() ? "a rule without a name" : "rule \"" + rule->name + "\"") +
           ", the first that selects it, does not keep it";
  }
  if (const auto* glob = KeepGlob(context, at)) return "keep.images has \"" + glob->text() + "\"";
  if (const auto* tag = KeepTag(context, at)) return "keep.tags has \"" + *tag + "\"";
  return "rule \"" + RuleThatKeeps(context, at)->name + "\" keeps it";
}

// A tool that loads images invents a repository for the digest ("import-2026-11-20").  If the image
// has tags, no one uses this name.
bool IsImportPlaceholder(const Image& image, const TagRanking& ranking) {
  return !ranking.tagged && ranking.name != nullptr && ranking.name->unqualified() &&
         !image.tags.empty() && image.local_only();
}

// True if each of its names has a greater version of the same scheme on this node that stays.  An
// image without a name counts as replaced only if it is known that it lost a tag: one that was
// committed, built, or loaded without a name never had one, and its user knows it by its ID.
bool HasNewerVersion(const PlanContext& context, ImagePos at) {
  return std::ranges::all_of(context.names(at), [&](const TagRanking& ranking) {
    if (ranking.name == nullptr) return context.age(at).lost_tag;
    return ranking.newer_that_stays != nullptr || IsImportPlaceholder(context.image(at), ranking);
  });
}
// The strictest setting for the names of an image without evidence that it can be pulled again.
// `rule`: null: keep.localOnly.
struct LocalOnlySetting {
  LocalOnly value = LocalOnly::kAlways;
  const Rule* rule = nullptr;
  std::string Text() const {
    const char* const word = value == LocalOnly::kAlways             ? "localOnly: Always"
                             : value == LocalOnly::kUnlessSuperseded ? "localOnly: UnlessSuperseded"
                                                                     : "localOnly: Never";
    return rule == nullptr ? std::string("keep.") + word : "rule \"" + rule->name + "\", " + word;
  }
};
LocalOnlySetting LocalOnlyOf(const PlanContext& context, ImagePos at) {
  LocalOnlySetting strictest;
  bool any = false;
  for (const TagRanking& ranking : context.names(at)) {
    const bool by_rule = ranking.rule != nullptr && ranking.rule->local_only.has_value();
    const LocalOnly its = by_rule ? *ranking.rule->local_only : context.policy().keep.local_only;
    if (any && its >= strictest.value) continue;  // Always is the strictest and the first
    strictest = {its, by_rule ? ranking.rule : nullptr};
    any = true;
  }
  return strictest;
}
bool LocalOnlyKept(const PlanContext& context, ImagePos at) {
  if (!context.image(at).local_only()) return false;
  switch (LocalOnlyOf(context, at).value) {
    case LocalOnly::kAlways:
      return true;
    case LocalOnly::kUnlessSuperseded:
      return !HasNewerVersion(context, at);
    case LocalOnly::kNever:
      return false;
  }
  return true;
}
std::string LocalOnlyEvidence(const PlanContext& context, ImagePos at, bool applies) {
  const Origin& origin = context.image(at).origin;
  if (origin.can_be_pulled()) return "can be pulled again: " + origin.evidence;
  const LocalOnlySetting setting = LocalOnlyOf(context, at);
  std::string text = "no evidence that it can be pulled again" +
                     (origin.evidence.empty() ? "" : ": " + origin.evidence) + " (" +
                     setting.Text() + ")";
  if (setting.value != LocalOnly::kUnlessSuperseded) return text;
  if (context.image(at).tags.empty() && context.image(at).digests.empty())
    return text +
           (applies ? ", and nothing shows that it ever had a tag" : ", but it lost its tag");
  return text + (applies ? ", and this node has no newer version of it"
                         : ", but this node has a newer version of it");
}

std::string AgeText(const ImageAge& age, Millis counted) {
  const std::string text = "unused for " + HumanDuration(counted);
  if (age.just_seen) return text + " (first seen just now; its real age is unknown)";
  return text + (age.last_used ? " (since its last use)" : " (since first seen, never in use)");
}
bool TooYoung(const PlanContext& context, ImagePos at) {
  return context.age(at).watched_unused_for < MinimumAge(context, at);
}
// Only time watched without a gap counts toward minimumAge.
std::string WatchedAgeText(const ImageAge& age) {
  if (age.just_seen || age.watched_unused_for == age.unused_for)
    return AgeText(age, age.unused_for);
  return "watched and unused for " + HumanDuration(age.watched_unused_for) +
         " (since the last unwatched time; unused for " + HumanDuration(age.unused_for) +
         " in total)";
}
std::string TooYoungEvidence(const PlanContext& context, ImagePos at, bool applies) {
  return WatchedAgeText(context.age(at)) + (applies ? ", less than" : ", at least") +
         " minimumAge " + FormatDuration(MinimumAge(context, at));
}

const TagRanking* Follower(const PlanContext& context, ImagePos at) {
  const auto it = std::ranges::find_if(context.names(at), [&](const TagRanking& ranking) {
    return ranking.subject != nullptr && ranking.subject != &context.image(at);
  });
  return it == context.names(at).end() ? nullptr : &*it;
}
bool Retained(const PlanContext& context, ImagePos at) {
  return std::ranges::any_of(context.names(at), &TagRanking::retained) ||
         FollowsSubject(context, at);
}
std::string RetainedEvidence(const PlanContext& context, ImagePos at, bool applies) {
  if (!applies) return "not kept for rollback";
  if (const TagRanking* const follower = Follower(context, at))
    return "signature, attestation or SBOM of " + ShownName(*follower->subject) +
           ", which is on this node";
  const auto it = std::ranges::find_if(context.names(at), &TagRanking::retained);
  return RankText(*it, it->kept) +
         (it->numbered() ? " (rule \"" + it->rule->name + "\")"
                         : " because the repository is in use (keep.lastPerRepository)");
}

bool Unknown(const PlanContext& context, ImagePos at) {
  return context.policy().keep.unknown &&
         std::ranges::any_of(context.names(at),
                             [](const TagRanking& s) { return s.rule == nullptr; });
}
std::string UnknownEvidence(const PlanContext& context, ImagePos, bool applies) {
  if (applies) return "no rule selects it (keep.unknown)";
  return context.policy().keep.unknown ? "a rule selects it" : "keep.unknown is false";
}

// keepLast does not remove names without a rank.
bool RuleRemoves(const TagRanking& ranking) {
  return ranking.removes() && !(ranking.signature && ranking.numbered());
}
bool ByRule(const PlanContext& context, ImagePos at) {
  return std::ranges::all_of(context.names(at), RuleRemoves);
}
std::string ByRuleEvidence(const PlanContext& context, ImagePos at, bool applies) {
  if (!applies) return "no rule removes it";
  const TagRanking& ranking = context.names(at).front();
  std::string text = "rule \"" + ranking.rule->name + "\" removes it";
  if (ranking.rule->keep_last && ranking.rank > 0) text += ": " + RankText(ranking, ranking.kept);
  return text + "; " + AgeText(context.age(at), context.age(at).unused_for);
}

// Narrower than untagged: an image with only a digest may have been pulled by digest, even if its
// repository has tagged images, and an image without a name may never have had one.
bool LostItsTag(const PlanContext& context, ImagePos at) {
  return context.image(at).tags.empty() && context.age(at).lost_tag;
}
bool Dangling(const PlanContext& context, ImagePos at) {
  return context.policy().remove_dangling && LostItsTag(context, at);
}
std::string DanglingEvidence(const PlanContext& context, ImagePos at, bool applies) {
  if (!applies) {
    if (!LostItsTag(context, at)) return "not dangling";
    return "dangling, but removeDangling is false";
  }
  const auto sibling = context.TaggedSibling(at);
  if (sibling.empty()) return "dangling: it lost its last tag on this node (removeDangling)";
  return "dangling: it lost its last tag, and its repository now has " + std::string(sibling) +
         " (removeDangling)";
}

// Only a newer version of its scheme replaces it.  The newest is never superseded, even if the
// number to keep is 0.
bool IsOutranked(const TagRanking& ranking) {
  return ranking.rank > std::max(1, ranking.kept) && ranking.replaced_by != nullptr;
}
bool Superseded(const PlanContext& context, ImagePos at) {
  if (!context.policy().remove_superseded || context.image(at).tags.empty()) return false;
  return std::ranges::any_of(context.names(at), IsOutranked) &&
         std::ranges::all_of(context.names(at), [&](const TagRanking& ranking) {
           return IsOutranked(ranking) || RuleRemoves(ranking) ||
                  IsImportPlaceholder(context.image(at), ranking);
         });
}
std::string SupersededEvidence(const PlanContext& context, ImagePos at, bool applies) {
  if (!applies)
    return context.policy().remove_superseded ? "not superseded" : "removeSuperseded is false";
  const TagRanking& ranking = SupersededName(context, at);
  return "replaced by " + ranking.replaced_by->text() + ": " +
         RankText(ranking, std::max(1, ranking.kept)) + " (removeSuperseded)";
}

bool TooOld(const PlanContext& context, ImagePos at) {
  const auto limit = MaximumAge(context, at);
  return limit > Millis::zero() && context.age(at).unused_for > limit;
}
std::string TooOldEvidence(const PlanContext& context, ImagePos at, bool applies) {
  const auto limit = MaximumAge(context, at);
  if (limit == Millis::zero()) return "maximumAge is disabled";
  const ImageAge& age = context.age(at);
  return AgeText(age, age.unused_for) + (applies ? ", longer than" : ", not longer than") +
         " maximumAge " + FormatDuration(limit);
}

// The policy's rules, after Protections(): first those that keep an image, then those that
// remove it.
constexpr std::array kByPolicy{
    VerdictRule{Code::kKeepRule, KeepRule, KeepRuleEvidence},
    VerdictRule{Code::kLocalOnly, LocalOnlyKept, LocalOnlyEvidence},
    VerdictRule{Code::kTooYoung, TooYoung, TooYoungEvidence},
    VerdictRule{Code::kRetained, Retained, RetainedEvidence},
    VerdictRule{Code::kUnknown, Unknown, UnknownEvidence},
    VerdictRule{Code::kRule, ByRule, ByRuleEvidence},
    VerdictRule{Code::kDangling, Dangling, DanglingEvidence},
    VerdictRule{Code::kSuperseded, Superseded, SupersededEvidence},
    VerdictRule{Code::kAge, TooOld, TooOldEvidence},
};

}  // namespace

const TagRanking& SupersededName(const PlanContext& context, ImagePos image) {
  const auto names = context.names(image);
  const auto of_its_own = std::ranges::find_if(names, [](const TagRanking& ranking) {
    return IsOutranked(ranking) && ranking.ranked_as == nullptr;
  });
  return of_its_own != names.end() ? *of_its_own : *std::ranges::find_if(names, IsOutranked);
}

bool FollowsSubject(const PlanContext& context, ImagePos image) {
  return Follower(context, image) != nullptr;
}

std::span<const VerdictRule> VerdictRules() {
  static const std::vector<VerdictRule> rules = [] {
    std::vector<VerdictRule> all(Protections().begin(), Protections().end());
    all.insert(all.end(), kByPolicy.begin(), kByPolicy.end());
    return all;
  }();
  return rules;
}

}  // namespace imagesweep
