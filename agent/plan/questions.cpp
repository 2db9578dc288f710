#include "agent/plan/questions.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "agent/base/duration.h"
#include "agent/plan/protections.h"

namespace imagesweep {
namespace {

const ImageGlob* KeepGlob(const Scene& scene, std::uint32_t at) {
  const auto& globs = scene.policy().keep.images;
  const auto it = std::ranges::find_if(
      globs, [&](const ImageGlob& glob) { return glob.Matches(scene.image(at)); });
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
// The rule that decides for one of its names, if any; others behind it are not asked.
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

// Without a tag it lost its place; else this node has a newer version of every repository it is in.
bool HasNewerVersion(const Scene& scene, std::uint32_t at) {
  return std::ranges::all_of(scene.names(at), [](const NameStanding& s) { return s.place != 1; });
}
// What decides for an image without evidence that it can be pulled again: each name by its own rule,
// and the strictest of them.  `rule`: null: keep.localOnly.
struct LocalOnlySetting {
  LocalOnly value = LocalOnly::kNever;
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
    if (any && its >= strictest.value) continue;  // Always comes first
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
  const std::string text = "has no proof that it can be pulled again" +
                           (origin.evidence.empty() ? "" : ": " + origin.evidence) + " (" +
                           setting.Text() + ")";
  if (setting.value != LocalOnly::kUnlessSuperseded) return text;
  return text + (applies ? ", and this node has no newer version of it"
                         : ", but this node has a newer version of it");
}

std::string AgeText(const Scene& scene, std::uint32_t at) {
  const ImageAge& age = scene.age(at);
  const std::string text = "unused for " + HumanDuration(age.unused_for);
  if (age.just_seen) return text + " (first seen just now; its real age is not known)";
  return text + (age.last_used ? " (since its last use)" : " (since first seen, never in use)");
}
// All names must be old enough, each by its own rule.
Millis MinimumAge(const Scene& scene, std::uint32_t at) {
  Millis limit = Millis::zero();
  for (const NameStanding& standing : scene.names(at))
    limit = std::max(limit, standing.rule != nullptr
                                ? standing.rule->minimum_age.value_or(scene.policy().minimum_age)
                                : scene.policy().minimum_age);
  return limit;
}
bool TooYoung(const Scene& scene, std::uint32_t at) {
  return scene.age(at).unused_for < MinimumAge(scene, at);
}
std::string TooYoungEvidence(const Scene& scene, std::uint32_t at, bool applies) {
  return AgeText(scene, at) + (applies ? ", less than" : ", at least") + " minimumAge " +
         FormatDuration(MinimumAge(scene, at));
}

bool Retained(const Scene& scene, std::uint32_t at) {
  return std::ranges::any_of(scene.names(at), &NameStanding::retained);
}
std::string RetainedEvidence(const Scene& scene, std::uint32_t at, bool applies) {
  if (!applies) return "not among the newest of a repository in use";
  const auto it = std::ranges::find_if(scene.names(at), &NameStanding::retained);
  return "version " + std::to_string(it->place) + " of " + std::to_string(it->kept) + " kept of " +
         std::string(it->name->repository()) +
         (it->rule != nullptr && it->rule->keep_last
              ? " (rule \"" + it->rule->name + "\")"
              : ", which is in use (keep.lastPerRepository)");
}

bool Unknown(const Scene& scene, std::uint32_t at) {
  return scene.policy().keep.unknown &&
         std::ranges::any_of(scene.names(at),
                             [](const NameStanding& s) { return s.rule == nullptr; });
}
std::string UnknownEvidence(const Scene& scene, std::uint32_t, bool applies) {
  if (applies) return "no rule selects it (keep.unknown)";
  return scene.policy().keep.unknown ? "a rule selects it" : "keep.unknown is off";
}

bool RuleRemoves(const NameStanding& standing) {
  return standing.rule != nullptr && standing.rule->action == RuleAction::kRemove;
}
bool ByRule(const Scene& scene, std::uint32_t at) {
  return std::ranges::all_of(scene.names(at), RuleRemoves);
}
std::string ByRuleEvidence(const Scene& scene, std::uint32_t at, bool applies) {
  if (!applies) return "no rule removes it";
  const NameStanding& standing = scene.names(at).front();
  std::string text = "rule \"" + standing.rule->name + "\" removes it";
  if (standing.rule->keep_last && standing.place > 0)
    text += ": version " + std::to_string(standing.place) + ", and it keeps " +
            std::to_string(standing.kept);
  return text + "; " + AgeText(scene, at);
}

// Narrower than untagged: an image pulled by digest has a digest and no tagged sibling.
bool LostItsTag(const Scene& scene, std::uint32_t at) {
  const Image& image = scene.image(at);
  return image.tags.empty() && (image.digests.empty() || !scene.TaggedSibling(at).empty());
}
bool Dangling(const Scene& scene, std::uint32_t at) {
  return scene.policy().remove_dangling && LostItsTag(scene, at);
}
std::string DanglingEvidence(const Scene& scene, std::uint32_t at, bool applies) {
  if (!applies) {
    if (!LostItsTag(scene, at)) return "not dangling";
    return "dangling, but removeDangling is false";
  }
  const auto sibling = scene.TaggedSibling(at);
  if (sibling.empty()) return "dangling: it has no name at all (removeDangling)";
  return "dangling: its tag moved on, its repository now has " + std::string(sibling) +
         " (removeDangling)";
}

// The newest of a repository is never superseded, whatever the number.
bool IsSuperseded(const NameStanding& standing) {
  return standing.place > std::max(1, standing.kept) || RuleRemoves(standing);
}
bool Superseded(const Scene& scene, std::uint32_t at) {
  return scene.policy().remove_superseded && !scene.image(at).tags.empty() &&
         std::ranges::all_of(scene.names(at), IsSuperseded);
}
std::string SupersededEvidence(const Scene& scene, std::uint32_t at, bool applies) {
  if (!applies)
    return scene.policy().remove_superseded ? "not superseded" : "removeSuperseded is off";
  const NameStanding& standing = scene.names(at).front();
  std::string text = "replaced by " + standing.newest->text() + ": version " +
                     std::to_string(standing.place) + " of its repository, and " +
                     std::to_string(std::max(1, standing.kept)) + " stay (removeSuperseded)";
  return text;
}

// All names must be too old, each by its own rule; zero switches it off.
Millis MaximumAge(const Scene& scene, std::uint32_t at) {
  Millis limit = Millis::zero();
  for (const NameStanding& standing : scene.names(at)) {
    const Millis its = standing.rule != nullptr
                           ? standing.rule->maximum_age.value_or(scene.policy().maximum_age)
                           : scene.policy().maximum_age;
    if (its == Millis::zero()) return its;
    limit = std::max(limit, its);
  }
  return limit;
}
bool TooOld(const Scene& scene, std::uint32_t at) {
  const auto limit = MaximumAge(scene, at);
  return limit > Millis::zero() && scene.age(at).unused_for > limit;
}
std::string TooOldEvidence(const Scene& scene, std::uint32_t at, bool applies) {
  const auto limit = MaximumAge(scene, at);
  if (limit == Millis::zero()) return "maximumAge is off";
  return AgeText(scene, at) + (applies ? ", longer than" : ", not longer than") + " maximumAge " +
         FormatDuration(limit);
}

// By the policy, after what needs the image: what keeps it, then what asks for its removal.
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

std::span<const Question> Questions() {
  static const std::vector<Question> questions = [] {
    std::vector<Question> all(Protections().begin(), Protections().end());
    all.insert(all.end(), kByPolicy.begin(), kByPolicy.end());
    return all;
  }();
  return questions;
}

}  // namespace imagesweep
