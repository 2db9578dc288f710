#include "agent/plan/space.h"

#include <algorithm>
#include <string>

#include "agent/base/duration.h"
#include "agent/base/quantity.h"
#include "agent/plan/order.h"
#include "agent/plan/questions.h"

namespace imagesweep {
namespace {

// What has come free so far, by the runtime's sizes.  Nobody tells how many inodes an image has:
// each is taken to have its share of all that are used, which is too many, so too few images go
// rather than too many.
class Progress {
 public:
  explicit Progress(const Scene& scene) : scene_(scene) {
    for (const Image& image : scene.seen().images) all_bytes_ += image.size_bytes;
  }
  void Add(std::uint32_t at) { bytes_ += scene_.image(at).size_bytes; }
  bool Reached(const Space& goal) const {
    return bytes_ >= goal.bytes && Inodes() >= static_cast<double>(goal.inodes);
  }
  std::string Of(const Space& goal) const {
    if (goal.bytes > 0) return HumanBytes(bytes_) + " of " + HumanBytes(goal.bytes);
    return "about " + std::to_string(static_cast<std::uint64_t>(Inodes())) + " of " +
           std::to_string(goal.inodes) + " inodes";
  }

 private:
  double Inodes() const {
    if (all_bytes_ == 0) return 0;
    return static_cast<double>(scene_.seen().disk->inodes_used()) * static_cast<double>(bytes_) /
           static_cast<double>(all_bytes_);
  }

  const Scene& scene_;
  std::uint64_t all_bytes_ = 0;
  std::uint64_t bytes_ = 0;
};

// Kept only because it is young or rollback room, and old enough for times of need.
bool MayGoWhenCritical(const Scene& scene, const Decision& decision) {
  if (decision.code != Code::kTooYoung && decision.code != Code::kRetained) return false;
  const Millis limit =
      std::min(scene.policy().disk.critical.minimum_age, scene.policy().minimum_age);
  if (scene.age(decision.image).unused_for < limit) return false;
  return std::ranges::none_of(Questions(), [&](const Question& question) {
    return question.verdict == Verdict::kKeep && question.code != Code::kTooYoung &&
           question.code != Code::kRetained && question.applies(scene, decision.image);
  });
}

}  // namespace

void PickForSpace(const Scene& scene, Plan& plan) {
  const auto goal = GoalForSpace(scene);
  if (!goal) return;
  Progress progress(scene);
  for (const auto at : plan.removals) progress.Add(at);

  const auto pick = [&](std::vector<std::uint32_t> images, Code code, const Space& until,
                        const std::string& why) {
    SortLeastRecentlyUsedFirst(scene, images);
    for (const auto at : images) {
      if (progress.Reached(until)) return;
      Decision& decision = plan.decisions[at];
      decision.reason = goal->why + ", " + why + ": " + progress.Of(until) + " before it" +
                        (code == Code::kCritical ? "; else it would stay: " + decision.reason : "");
      decision.verdict = Verdict::kRemove;
      decision.code = code;
      progress.Add(at);
      plan.removals.push_back(at);
    }
  };
  std::vector<std::uint32_t> idle, in_need;
  for (const Decision& decision : plan.decisions) {
    if (decision.code == Code::kIdle) idle.push_back(decision.image);
    if (MayGoWhenCritical(scene, decision)) in_need.push_back(decision.image);
  }
  pick(std::move(idle), Code::kSpace, goal->to_low_marks, "least recently used first");
  // An empty goal is reached before the first.
  pick(std::move(in_need), Code::kCritical, goal->to_safety,
       "and critical.thresholdPercent " +
           std::to_string(scene.policy().disk.critical.threshold_percent) + "% is reached");
}

}  // namespace imagesweep
