#include "agent/plan/questions.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "agent/base/duration.h"
#include "agent/plan/age_limits.h"
#include "agent/plan/protections.h"
#include "agent/plan/rank_text.h"

namespace imagesweep {
namespace {

const ImageGlob* KeepGlob(const Scene& scene, std::uint32_t at) {
  const auto& globs = scene.policy().keep.images;
  const auto it = std::ranges::find_if(
      globs, [&](const ImageGlob& glob) { return glob.Keeps(scene.image(at)); });
  return it == globs.end() ? nullptr : &*it;
}
const std::string* KeepTag(const Scene& scene, std::uint32_t at) {
  for (const auto& pattern : scene.policy().keep.tags)
    for (const ImageName& name : scene.image(at).tags)
      if (GlobMatches(pattern, name.tag())) return &pattern;
  return nullptr;
}
const Rule* RuleThatKeeps(const Scene& scene, std::uint32_t at) {
  for (const NameStanding& standing : scene.names(at))
    if (standing.rule != nullptr && standing.rule->action == RuleAction::kKeep)
      return standing.rule;
  return nullptr;
}
bool KeepRule(const Scene& scene, std::uint32_t at) {
  return KeepGlob(scene, at) != nullptr || KeepTag(scene, at) != nullptr ||
         RuleThatKeeps(scene, at) != nullptr;
}
// The first rule that selects one of its names.  Later rules do not apply.
const Rule* FirstRule(const Scene& scene, std::uint32_t at) {
  for (const NameStanding& standing : scene.names(at))
    if (standing.rule != nullptr) return standing.rule;
  return nullptr;
}
std::string KeepRuleEvidence(const Scene& scene, std::uint32_t at, bool applies) {
  if (!applies) {
    const std::string text = "no pattern of keep.images or keep.tags matches, and ";
    const Rule* const rule = FirstRule(scene, at);
    if (rule == nullptr) return text + "no rule keeps it";
    return text + (rule->name.empty() ? "a rule without a name" : "rule \"" + rule->name + "\"") +
           ", the first that selects it, does not keep it";
  }
  if (const auto* glob = KeepGlob(scene, at)) return "keep.images has \"" + glob->text() + "\"";
  if (const auto* tag = KeepTag(scene, at)) return "keep.tags has \"" + *tag + "\"";
  return "rule \"" + RuleThatKeeps(scene, at)->name + "\" keeps it";
}

// A tool that loads images invents a repository for the digest ("import-2026-11-20").  If the image
// has tags, no one uses this name.
bool IsMadeUp(const Image& image, const NameStanding& standing) {
  return !standing.tagged && standing.name != nullptr && standing.name->unqualified() &&
         !image.tags.empty() && image.local_only();
}

// True if each of its names has a greater version of the same scheme on this node that stays.  An
// image without a name counts as replaced: nothing can refer to it, and its tag moved to another
// image.
bool HasNewerVersion(const Scene& scene, std::uint32_t at) {
  return std::ranges::all_of(scene.names(at), [&](const NameStanding& standing) {
    return standing.name == nullptr || standing.newer_that_stays != nullptr ||
           IsMadeUp(scene.image(at), standing);
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
    return rule == nullptr ? std::string("keep.") + word
                           : "rule \"" + rule->name + "\", " + word;
  }
};
LocalOnlySetting LocalOnlyOf(const Scene& scene, std::uint32_t at) {
  LocalOnlySetting strictest;
  bool any = false;
  for (const NameStanding& standing : scene.names(at)) {
    const bool by_rule = standing.rule != nullptr && standing.rule->local_only.has_value();
    const LocalOnly its = by_rule ? *standing.rule->local_only : scene.policy().keep.local_only;
    if (any && its >= strictest.value) continue;  // Always is the strictest and the first
    strictest = {its, by_rule ? standing.rule : nullptr};
    any = true;
  }
  return strictest;
}
bool LocalOnlyKept(const Scene& scene, std::uint32_t at) {
  if (!scene.image(at).local_only()) return false;
  switch (LocalOnlyOf(scene, at).value) {
    case LocalOnly::kAlways:
      return true;
    case LocalOnly::kUnlessSuperseded:
      return !HasNewerVersion(scene, at);
    case LocalOnly::kNever:
      return false;
  }
  return true;
}
std::string LocalOnlyEvidence(const Scene& scene, std::uint32_t at, bool applies) {
  const Origin& origin = scene.image(at).origin;
  if (origin.can_be_pulled()) return "can be pulled again: " + origin.evidence;
  const LocalOnlySetting setting = LocalOnlyOf(scene, at);
  std::string text = "no evidence that it can be pulled again" +
                     (origin.evidence.empty() ? "" : ": " + origin.evidence) + " (" +
                     setting.Text() + ")";
  if (setting.value != LocalOnly::kUnlessSuperseded) return text;
  return text + (applies ? ", and this node has no newer version of it"
                         : ", but this node has a newer version of it");
}

std::string AgeText(const ImageAge& age, Millis counted) {
  const std::string text = "unused for " + HumanDuration(counted);
  if (age.just_seen) return text + " (first seen just now; its real age is unknown)";
  return text + (age.last_used ? " (since its last use)" : " (since first seen, never in use)");
}
bool TooYoung(const Scene& scene, std::uint32_t at) {
  return scene.age(at).watched_unused_for < MinimumAge(scene, at);
}
// Only time watched without a gap counts toward minimumAge.
std::string WatchedAgeText(const ImageAge& age) {
  if (age.just_seen || age.watched_unused_for == age.unused_for)
    return AgeText(age, age.unused_for);
  return "watched and unused for " + HumanDuration(age.watched_unused_for) +
         " (since the last unwatched time; unused for " + HumanDuration(age.unused_for) +
         " in total)";
}
std::string TooYoungEvidence(const Scene& scene, std::uint32_t at, bool applies) {
  return WatchedAgeText(scene.age(at)) + (applies ? ", less than" : ", at least") + " minimumAge " +
         FormatDuration(MinimumAge(scene, at));
}

const NameStanding* Follower(const Scene& scene, std::uint32_t at) {
  const auto it = std::ranges::find_if(scene.names(at), [&](const NameStanding& standing) {
    return standing.subject != nullptr && standing.subject != &scene.image(at);
  });
  return it == scene.names(at).end() ? nullptr : &*it;
}
bool Retained(const Scene& scene, std::uint32_t at) {
  return std::ranges::any_of(scene.names(at), &NameStanding::retained) || FollowsSubject(scene, at);
}
std::string RetainedEvidence(const Scene& scene, std::uint32_t at, bool applies) {
  if (!applies) return "not kept for rollback";
  if (const NameStanding* const follower = Follower(scene, at))
    return "signature, attestation or SBOM of " + follower->subject->display_name() +
           ", which is on this node";
  const auto it = std::ranges::find_if(scene.names(at), &NameStanding::retained);
  return RankText(*it, it->kept) +
         (it->numbered() ? " (rule \"" + it->rule->name + "\")"
                         : " because the repository is in use (keep.lastPerRepository)");
}

bool Unknown(const Scene& scene, std::uint32_t at) {
  return scene.policy().keep.unknown &&
         std::ranges::any_of(scene.names(at),
                             [](const NameStanding& s) { return s.rule == nullptr; });
}
std::string UnknownEvidence(const Scene& scene, std::uint32_t, bool applies) {
  if (applies) return "no rule selects it (keep.unknown)";
  return scene.policy().keep.unknown ? "a rule selects it" : "keep.unknown is false";
}

// keepLast does not remove names without a rank.
bool RuleRemoves(const NameStanding& standing) {
  return standing.removes() && !(standing.signature && standing.numbered());
}
bool ByRule(const Scene& scene, std::uint32_t at) {
  return std::ranges::all_of(scene.names(at), RuleRemoves);
}
std::string ByRuleEvidence(const Scene& scene, std::uint32_t at, bool applies) {
  if (!applies) return "no rule removes it";
  const NameStanding& standing = scene.names(at).front();
  std::string text = "rule \"" + standing.rule->name + "\" removes it";
  if (standing.rule->keep_last && standing.place > 0)
    text += ": " + RankText(standing, standing.kept);
  return text + "; " + AgeText(scene.age(at), scene.age(at).unused_for);
}

// Narrower than untagged: an image with only a digest may have been pulled by digest, even if its
// repository has tagged images.
bool LostItsTag(const Scene& scene, std::uint32_t at) {
  const Image& image = scene.image(at);
  return image.tags.empty() && (image.digests.empty() || scene.age(at).lost_tag);
}
bool Dangling(const Scene& scene, std::uint32_t at) {
  return scene.policy().remove_dangling && LostItsTag(scene, at);
}
std::string DanglingEvidence(const Scene& scene, std::uint32_t at, bool applies) {
  if (!applies) {
    if (!LostItsTag(scene, at)) return "not dangling";
    return "dangling, but removeDangling is false";
  }
  if (scene.image(at).digests.empty()) return "dangling: it has no name (removeDangling)";
  const auto sibling = scene.TaggedSibling(at);
  if (sibling.empty()) return "dangling: it lost its last tag on this node (removeDangling)";
  return "dangling: it lost its last tag, and its repository now has " + std::string(sibling) +
         " (removeDangling)";
}

// Only a newer version of its scheme replaces it.  The newest is never superseded, even if the
// number to keep is 0.
bool HasLostItsPlace(const NameStanding& standing) {
  return standing.place > std::max(1, standing.kept) && standing.replaced_by != nullptr;
}
bool Superseded(const Scene& scene, std::uint32_t at) {
  if (!scene.policy().remove_superseded || scene.image(at).tags.empty()) return false;
  return std::ranges::any_of(scene.names(at), HasLostItsPlace) &&
         std::ranges::all_of(scene.names(at), [&](const NameStanding& standing) {
           return HasLostItsPlace(standing) || RuleRemoves(standing) ||
                  IsMadeUp(scene.image(at), standing);
         });
}
std::string SupersededEvidence(const Scene& scene, std::uint32_t at, bool applies) {
  if (!applies)
    return scene.policy().remove_superseded ? "not superseded" : "removeSuperseded is false";
  const NameStanding& standing = SupersededName(scene, at);
  return "replaced by " + standing.replaced_by->text() + ": " +
         RankText(standing, std::max(1, standing.kept)) + " (removeSuperseded)";
}

bool TooOld(const Scene& scene, std::uint32_t at) {
  const auto limit = MaximumAge(scene, at);
  return limit > Millis::zero() && scene.age(at).unused_for > limit;
}
std::string TooOldEvidence(const Scene& scene, std::uint32_t at, bool applies) {
  const auto limit = MaximumAge(scene, at);
  if (limit == Millis::zero()) return "maximumAge is disabled";
  const ImageAge& age = scene.age(at);
  return AgeText(age, age.unused_for) + (applies ? ", longer than" : ", not longer than") +
         " maximumAge " + FormatDuration(limit);
}

// The policy's questions, after Protections(): first those that keep an image, then those that
// remove it.
constexpr std::array kByPolicy{
    Question{Code::kKeepRule, Verdict::kKeep, KeepRule, KeepRuleEvidence},
    Question{Code::kLocalOnly, Verdict::kKeep, LocalOnlyKept, LocalOnlyEvidence},
    Question{Code::kTooYoung, Verdict::kKeep, TooYoung, TooYoungEvidence},
    Question{Code::kRetained, Verdict::kKeep, Retained, RetainedEvidence},
    Question{Code::kUnknown, Verdict::kKeep, Unknown, UnknownEvidence},
    Question{Code::kRule, Verdict::kRemove, ByRule, ByRuleEvidence},
    Question{Code::kDangling, Verdict::kRemove, Dangling, DanglingEvidence},
    Question{Code::kSuperseded, Verdict::kRemove, Superseded, SupersededEvidence},
    Question{Code::kAge, Verdict::kRemove, TooOld, TooOldEvidence},
};

}  // namespace

const NameStanding& SupersededName(const Scene& scene, std::uint32_t image) {
  const auto names = scene.names(image);
  const auto of_its_own = std::ranges::find_if(names, [](const NameStanding& standing) {
    return HasLostItsPlace(standing) && standing.ranked_as == nullptr;
  });
  return of_its_own != names.end() ? *of_its_own : *std::ranges::find_if(names, HasLostItsPlace);
}

bool FollowsSubject(const Scene& scene, std::uint32_t image) {
  return Follower(scene, image) != nullptr;
}

std::span<const Question> Questions() {
  static const std::vector<Question> questions = [] {
    std::vector<Question> all(Protections().begin(), Protections().end());
    all.insert(all.end(), kByPolicy.begin(), kByPolicy.end());
    return all;
  }();
  return questions;
}

}  // namespace imagesweep
