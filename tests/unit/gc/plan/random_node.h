#pragma once

#include <random>
#include <string>
#include <utility>
#include <vector>

#include "agent/model/policy.h"
#include "tests/support/observation.h"

namespace imagesweep {

// A random small node with a random policy, in which names, IDs, sizes, and ages are often equal.
// Equal seeds make equal worlds.
class RandomWorld {
 public:
  explicit RandomWorld(std::uint64_t seed) : random_(seed) {
    const int images = Below(8);
    for (int i = 0; i < images; ++i) {
      builder_.Add(AnyImage(i), 10 * Minutes(20), Maybe(2));
      builder_.seen().ages.back().first_seen = SystemTime(Minutes(4));
    }
    for (int r = Below(5); r > 0; --r) AddReference();
    if (Maybe(2)) AddDisk();
    if (Maybe(8)) seen().sandbox_images.push_back(Name());
    if (Maybe(8)) seen().own_images.push_back(Name());
    seen().at = SystemTime(Minutes(60 * 24 * 7));
    MakePolicy();
  }

  Policy& policy() { return policy_; }
  Observation& seen() { return builder_.seen(); }
  std::mt19937_64& random() { return random_; }

  int Below(int n) { return static_cast<int>(random_() % static_cast<std::uint64_t>(n)); }
  bool Maybe(int one_in) { return Below(one_in) == 0; }
  Millis Minutes(int below) { return std::chrono::minutes(Below(below)); }
  std::string Repository() { return "r" + std::to_string(Below(3)); }
  std::string Tag() {
    constexpr const char* kTags[] = {"v0", "v1", "v2", "v10", "latest", "build-7", "stable"};
    return kTags[Below(7)];
  }
  std::string Name() { return Repository() + ":" + Tag(); }
  void AddReference() {
    constexpr ImageUserKind kKinds[] = {ImageUserKind::kPod, ImageUserKind::kContainer};
    builder_.Use(Maybe(3) ? Id("i" + std::to_string(Below(8))) : Name(),
                 {kKinds[Below(2)], "shop", "p" + std::to_string(Below(3)), "main"});
  }

  // From few workloads, so that they are often equal. Not sorted.
  WorkloadReference AnyWorkload() {
    constexpr const char* kKinds[] = {"Deployment", "CronJob"};
    WorkloadReference reference;
    reference.text = Maybe(3) ? Id("i" + std::to_string(Below(8))) : Name();
    reference.kind = kKinds[Below(2)];
    reference.workload_namespace = "shop";
    reference.name = "w" + std::to_string(Below(2));
    reference.container = "c" + std::to_string(Below(2));
    reference.revisions_back = Below(4);
    reference.revision = 4 - reference.revisions_back;
    reference.scaled_to_zero = Maybe(4);
    return reference;
  }
  // The policy reads workloads, and there are some.
  void AddWorkloads() {
    policy_.keep.workloads = {true, Below(4), !Maybe(4), !Maybe(4)};
    for (int w = Below(6); w > 0; --w) seen().workloads.push_back(AnyWorkload());
  }

  void AddDisk() {
    builder_.Disk(1000, static_cast<std::uint64_t>(Below(400)));
    seen().disk->inodes_free = static_cast<std::uint64_t>(Below(1000));
  }

 private:
  Image AnyImage(int number) {
    Image image;
    image.id = ImageId(Id("i" + std::to_string(number)));
    image.size_bytes = static_cast<std::uint64_t>(Below(5)) * 100;
    image.pinned = Maybe(8);
    for (int t = Below(3); t > 0; --t) image.tags.push_back(ImageName::Parse(Name()));
    if (!Maybe(4))
      image.digests.push_back(
          ImageName::Parse(Repository() + "@" + Id("d" + std::to_string(number))));
    // The runtime may have made up a repo digest, and an image without one may have a proof.
    if (Maybe(image.digests.empty() ? 6 : 1) && !Maybe(5))
      image.origin = {OriginKind::kPulled, "random", "r0@" + Id("d" + std::to_string(number))};
    return image;
  }
  LocalOnly AnyLocalOnly() {
    constexpr LocalOnly kLocal[] = {LocalOnly::kAlways, LocalOnly::kUnlessSuperseded,
                                    LocalOnly::kNever};
    return kLocal[Below(3)];
  }
  Millis MaximumAge() { return Maybe(4) ? Millis(0) : Minutes(200); }  // or disabled
  Thresholds AnyMarks() {
    if (Maybe(4)) return {0, 0};
    const int high = 60 + Below(40);
    return {high, high - 1 - Below(30)};
  }
  void MakePolicy() {
    policy_.minimum_age = Minutes(100);
    policy_.maximum_age = MaximumAge();
    policy_.remove_dangling = Maybe(2);
    policy_.remove_superseded = Maybe(2);
    policy_.disk = {AnyMarks(), AnyMarks(), {Maybe(3) ? 0 : 60 + Below(41), Minutes(60)}};
    policy_.keep.last_per_repository = Below(4);
    policy_.keep.unknown = Maybe(4);
    policy_.keep.local_only = AnyLocalOnly();
    for (int r = Below(4); r > 0; --r) AddRule();
    if (Maybe(3)) policy_.keep.images.push_back(*ImageGlob::Parse(Repository()));
    if (Maybe(6)) policy_.keep.tags.push_back(Tag());
    if (Maybe(4))
      policy_.windows = {
          {{}, std::chrono::minutes(Below(1440)), std::chrono::minutes(Below(1441)), "UTC"}};
    policy_.limits.max_images = Below(8);
    policy_.limits.max_bytes = static_cast<std::uint64_t>(Below(3)) * 300;
    policy_.limits.max_percent_of_images = Below(101);
    policy_.limits.confirm_runs = 1 + Below(3);
  }
  void AddRule() {
    constexpr RuleAction kActions[] = {RuleAction::kKeep, RuleAction::kRemove, RuleAction::kRemove,
                                       RuleAction::kEvaluate};
    Rule rule;
    rule.name = "rule-" + std::to_string(policy_.rules.size());
    if (Maybe(2)) rule.selector.images.push_back(*ImageGlob::Parse(Repository()));
    if (Maybe(2)) rule.selector.tags.push_back(Maybe(2) ? "v*" : Tag());
    if (Maybe(5)) rule.selector.tag_status = Maybe(2) ? TagStatus::kTagged : TagStatus::kUntagged;
    rule.action = kActions[Below(4)];
    if (Maybe(2)) rule.keep_last = Below(4);
    if (Maybe(3)) rule.minimum_age = Minutes(150);
    if (Maybe(3)) rule.maximum_age = MaximumAge();
    if (Maybe(4)) rule.local_only = AnyLocalOnly();
    policy_.rules.push_back(std::move(rule));
  }

  std::mt19937_64 random_;
  ObservationBuilder builder_;
  Policy policy_;
};

}  // namespace imagesweep
