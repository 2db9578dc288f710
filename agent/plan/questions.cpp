#include "agent/plan/questions.h"

#include <algorithm>
#include <array>

#include "agent/base/duration.h"

namespace imagesweep {
namespace {

bool InUse(const Scene& scene, std::uint32_t at) {
  return scene.in_use(at);
}
std::string InUseEvidence(const Scene& scene, std::uint32_t at, bool applies) {
  if (!applies) return "no pod, container, image volume or sandbox refers to it";
  const auto users = scene.UsedBy(at);
  const auto by = [&](std::uint32_t user) -> const Referrer& {
    return scene.seen().references[user].by;
  };
  // Pods first: that is whom people know.
  const auto pod = std::ranges::find_if(
      users, [&](std::uint32_t user) { return by(user).kind == ReferrerKind::kPod; });
  const Referrer& named = by(pod == users.end() ? users.front() : *pod);
  std::string text = "used by ";
  text.append(ToString(named.kind)).append(" ").append(Describe(named));
  if (users.size() > 1)
    text.append(" and ").append(std::to_string(users.size() - 1)).append(" more");
  return text;
}

bool Pinned(const Scene& scene, std::uint32_t at) {
  return scene.image(at).pinned;
}
std::string PinnedEvidence(const Scene&, std::uint32_t, bool applies) {
  return applies ? "the runtime has it pinned" : "the runtime does not pin it";
}

bool Sandbox(const Scene& scene, std::uint32_t at) {
  return scene.is_sandbox(at);
}
std::string SandboxEvidence(const Scene&, std::uint32_t, bool applies) {
  return applies ? "the pause image: no pod can start without it" : "not the pause image";
}

bool Self(const Scene& scene, std::uint32_t at) {
  return scene.is_self(at);
}
std::string SelfEvidence(const Scene&, std::uint32_t, bool applies) {
  return applies ? "imagesweep's own image" : "not imagesweep's own image";
}

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
bool KeepRule(const Scene& scene, std::uint32_t at) {
  return KeepGlob(scene, at) != nullptr || KeepTag(scene, at) != nullptr;
}
std::string KeepRuleEvidence(const Scene& scene, std::uint32_t at, bool applies) {
  if (!applies) return "no pattern of keep.images or keep.tags matches";
  if (const auto* glob = KeepGlob(scene, at)) return "keep.images has \"" + glob->text() + "\"";
  return "keep.tags has \"" + *KeepTag(scene, at) + "\"";
}

bool LocalOnlyKept(const Scene& scene, std::uint32_t at) {
  return scene.image(at).local_only() && scene.policy().keep.local_only == LocalOnly::kAlways;
}
std::string LocalOnlyEvidence(const Scene& scene, std::uint32_t at, bool applies) {
  if (applies) return "has no repo digest, so it cannot be pulled again (keep.localOnly: Always)";
  if (scene.image(at).local_only()) return "cannot be pulled again, but keep.localOnly is Never";
  return "has a repo digest, so it can be pulled again";
}

std::string AgeText(const Scene& scene, std::uint32_t at) {
  const ImageAge& age = scene.age(at);
  std::string text = "unused for " + HumanDuration(age.unused_for);
  if (age.just_seen) return text + " (first seen just now; its real age is not known)";
  return text +
         (age.last_used ? " since its last use" : " since it was first seen; never seen in use");
}
bool TooYoung(const Scene& scene, std::uint32_t at) {
  return scene.age(at).unused_for < scene.policy().minimum_age;
}
std::string TooYoungEvidence(const Scene& scene, std::uint32_t at, bool applies) {
  return AgeText(scene, at) + (applies ? ", less than" : ", at least") + " minimumAge " +
         FormatDuration(scene.policy().minimum_age);
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

bool TooOld(const Scene& scene, std::uint32_t at) {
  const auto limit = scene.policy().maximum_age;
  return limit > Millis::zero() && scene.age(at).unused_for > limit;
}
std::string TooOldEvidence(const Scene& scene, std::uint32_t at, bool applies) {
  const auto limit = scene.policy().maximum_age;
  if (limit == Millis::zero()) return "maximumAge is off";
  return AgeText(scene, at) + (applies ? ", longer than" : ", not longer than") + " maximumAge " +
         FormatDuration(limit);
}

constexpr std::array kQuestions{
    Question{Code::kInUse, Verdict::kKeep, InUse, InUseEvidence},
    Question{Code::kPinned, Verdict::kKeep, Pinned, PinnedEvidence},
    Question{Code::kSandbox, Verdict::kKeep, Sandbox, SandboxEvidence},
    Question{Code::kSelf, Verdict::kKeep, Self, SelfEvidence},
    Question{Code::kKeepRule, Verdict::kKeep, KeepRule, KeepRuleEvidence},
    Question{Code::kLocalOnly, Verdict::kKeep, LocalOnlyKept, LocalOnlyEvidence},
    Question{Code::kTooYoung, Verdict::kKeep, TooYoung, TooYoungEvidence},
    Question{Code::kDangling, Verdict::kRemove, Dangling, DanglingEvidence},
    Question{Code::kAge, Verdict::kRemove, TooOld, TooOldEvidence},
};

}  // namespace

std::span<const Question> Questions() {
  return kQuestions;
}

}  // namespace imagesweep
