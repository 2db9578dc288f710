#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "agent/gc/plan/planner.h"
#include "tests/support/observation.h"

// An oracle for ranks: tags are made from a known order. Each image that is removed for its rank is
// compared with that order, not with the planner's reading of the tags.

namespace imagesweep {
namespace {

constexpr std::uint64_t kWorlds = 32'000;
constexpr int kOrders = 30;  // in each scheme

std::string N(int number) {
  return std::to_string(number);
}
// Seven hexadecimal digits. Some of these are numbers.
std::string Commit(int seed) {
  std::string text;
  for (int i = 0, rest = seed * 7'919 + 104'729; i < 6; ++i, rest /= 16)
    text += "0123456789abcdef"[rest % 16];
  return text + "0a1b2c3d4e5f"[seed % 12];
}
// From the 20th of January on, into February.
std::string Day(int order, const std::string& separator) {
  const int day = 20 + order;
  const std::string of_month = N(day > 31 ? day - 31 : day);
  return "2024" + separator + (day > 31 ? "02" : "01") + separator +
         (of_month.size() == 1 ? "0" : "") + of_month;
}
std::string Dotted(int order) {
  return "1." + N(order / 5 + 8) + "." + N(order % 5 * 4);
}

enum class Order { kByTag, kBySight, kNone };

struct Scheme {
  Order order;
  std::string (*tag)(int order, int salt);
  bool of_names = false;  // the number is part of a name
};

// The tag of the nth version in every scheme. `salt` varies the part outside of the order.
const Scheme kSchemes[] = {
    {Order::kByTag, [](int n, int) { return "v" + N(n); }},
    {Order::kByTag, [](int n, int) { return N(n + 5); }},
    {Order::kByTag, [](int n, int) { return "v1." + N(n); }},
    {Order::kByTag, [](int n, int) { return "v" + Dotted(n); }},
    {Order::kByTag, [](int n, int) { return Day(n, "-"); }},
    {Order::kByTag, [](int n, int) { return Day(n, ""); }},
    {Order::kByTag, [](int n, int) { return "nightly-" + Day(n, "-"); }},
    {Order::kByTag, [](int n, int) { return "RELEASE." + Day(n, "-") + "T07-19-11Z"; }},
    {Order::kByTag,
     [](int n, int salt) { return "main-" + Commit(salt) + "-" + N(1'611'906'956 + n * 97); }},
    {Order::kByTag,
     [](int n, int salt) { return "dev-" + Commit(salt) + "-" + N(1'611'906'956 + n * 97); }},
    {Order::kByTag, [](int n, int) { return "1.4.2-" + N(n + 90); }},
    {Order::kByTag,
     [](int n, int) {
       return "15." + N(n / 9) + ".0-debian-" + N(9 + n / 3 % 3) + "-r" + N(8 + n % 3);
     }},
    {Order::kByTag, [](int n, int salt) { return "v1.4.2-" + N(n + 5) + "-g" + Commit(salt); }},
    {Order::kByTag, [](int n, int) { return "8u" + N(395 + n) + "-b06"; }},
    {Order::kByTag, [](int n, int) { return Dotted(n) + "-alpine"; }},
    {Order::kByTag, [](int n, int) { return Dotted(n) + "-slim-bookworm"; }},
    {Order::kByTag, [](int n, int) { return "build-" + N(n + 5); }},
    {Order::kByTag, [](int n, int) { return "debian-" + N(n + 5); }, true},
    {Order::kByTag, [](int n, int) { return "cuda-" + N(n + 5); }, true},
    {Order::kByTag,
     [](int n, int salt) { return "v" + N(n) + "-retry" + (salt % 2 == 0 ? "" : "-fixed"); }},
    {Order::kByTag, [](int n, int) { return "v" + N(n) + "-linux-amd64"; }},
    {Order::kByTag, [](int n, int) { return "v" + N(n) + "-linux-arm64"; }},
    {Order::kByTag, [](int n, int) { return Dotted(n) + "-dev"; }},
    {Order::kBySight, [](int n, int) { return Commit(n); }},
    {Order::kBySight, [](int n, int) { return "sha-" + Commit(n); }},
    {Order::kNone,
     [](int n, int) {
       const char* const words[] = {"latest", "main", "frontend", "backend", "stable", "edge"};
       return std::string(words[n % 6]) +
              (n < 6 ? "" : std::string(1, static_cast<char>('g' + n / 6)));
     }},
    {Order::kNone, [](int n, int) { return "pr-" + N(n); }},
    {Order::kNone, [](int n, int) { return N(1 + n % 12) + "-" + N(2020 + n / 12); }},
    {Order::kNone,
     [](int n, int) { return N(10 + n % 18) + "-" + N(10 + n % 3) + "-" + N(20 + n / 9); }},
    {Order::kNone, [](int n, int) { return Id("signed" + N(n)).replace(6, 1, "-") + ".sig"; }},
};
// The last scheme: releases and pre-releases in one order.
constexpr int kSemantic = std::size(kSchemes);
constexpr int kSignature = kSemantic - 1;

struct Truth {
  int scheme;
  int order;
  bool prerelease;
};

struct TrueImage {
  std::vector<Truth> tags;
  int sight;  // the order in which the node saw the images
  bool local;
  bool in_use;
};

class RankedWorld {
 public:
  explicit RankedWorld(std::uint64_t seed) : random_(seed) {
    policy.minimum_age = Millis(0);
    policy.maximum_age = Maybe(2) ? Millis(0) : Millis(1);
    policy.disk.high_percent = policy.disk.inodes.high_percent = 0;
    policy.limits = {1000, 0, 100, Millis(0), 5, 1};
    policy.keep.last_per_repository = Below(4);
    constexpr LocalOnly kLocal[] = {LocalOnly::kAlways, LocalOnly::kUnlessSuperseded,
                                    LocalOnly::kNever};
    policy.keep.local_only = kLocal[Below(3)];
    if (Maybe(3)) {
      Rule rule;
      rule.name = "last";
      rule.keep_last = Below(4);
      rule.action = RuleAction::kRemove;
      policy.rules = {rule};
    }
    // Few schemes, so that they are often equal.
    for (int i = 2 + Below(3); i > 0; --i) schemes_.push_back(Below(kSemantic + 1));
    const bool jumps = Maybe(3);
    const int jump_at = Below(8);
    for (int i = 3 + Below(8); i > 0; --i) AddImage(1 + Below(2));
    for (const ImagePos at : Positions(truth)) {
      ImageAge& age = seen().ages[at];
      const int sight = truth[at].sight;
      // Three observations back, and never equal again.
      const int wall = 10 + sight - (jumps && sight >= jump_at ? 3 : 0);
      age.first_seen = SystemTime(std::chrono::hours(wall));
      age.unused_for = age.watched_unused_for = std::chrono::hours(100 - sight);
      if (!jumps && Maybe(3)) {
        age.last_used = SystemTime(std::chrono::hours(wall + 1));
        age.unused_for = std::chrono::hours(1 + Below(50));
      }
    }
  }

  // Of other schemes only, if requested. Not in use.
  void AddImage(int tags, int scheme = -1) {
    TrueImage its{{}, static_cast<int>(truth.size()), Maybe(3), scheme < 0 && Maybe(5)};
    Image image;
    image.id = ImageId(Id("image" + N(its.sight)));
    for (int t = 0; t < tags; ++t) AddTag(its, image, scheme);
    if (image.tags.empty()) return;
    if (!its.local) {
      image.digests = {ImageName::Parse("app@" + Id("digest" + N(its.sight)))};
      image.origin = {OriginKind::kPulled, "pulled by the test", image.digests[0].text()};
    }
    if (its.in_use) builder_.Use(image.id.text());
    builder_.Add(std::move(image));
    truth.push_back(std::move(its));
  }

  bool Has(int scheme) const {
    return std::ranges::any_of(truth, [&](const TrueImage& image) {
      return std::ranges::count(image.tags, scheme, &Truth::scheme) > 0;
    });
  }
  Observation& seen() { return builder_.seen(); }
  int Below(int n) { return static_cast<int>(random_() % static_cast<std::uint64_t>(n)); }
  bool Maybe(int one_in) { return Below(one_in) == 0; }

  Policy policy;
  ByImage<TrueImage> truth;

 private:
  void AddTag(TrueImage& its, Image& image, int scheme) {
    if (scheme < 0)
      scheme = schemes_[static_cast<std::size_t>(Below(static_cast<int>(schemes_.size())))];
    Truth tag{scheme, Below(kOrders), false};
    std::string text;
    if (scheme == kSemantic) {
      const int of_release = tag.order % 3;  // rc.9, rc.10, the release
      tag.prerelease = of_release < 2;
      text = Dotted(tag.order / 3) + (tag.prerelease ? "-rc." + N(9 + of_release) : "");
    } else {
      text = kSchemes[scheme].tag(tag.order, Below(1000));
    }
    if (!used_.insert(text).second) return;
    image.tags.push_back(ImageName::Parse("app:" + text));
    its.tags.push_back(tag);
  }

  std::mt19937_64 random_;
  ObservationBuilder builder_;
  std::vector<int> schemes_;
  std::set<std::string> used_;
};

// The number of images of the tag's scheme that are newer, and the number of older ones in use.
struct Newer {
  int newer = 0;
  int in_use = 0;
  bool stays = false;  // a newer image stays
};

bool IsOrdered(const Truth& tag) {
  return tag.scheme == kSemantic || kSchemes[tag.scheme].order == Order::kByTag;
}
bool HasOrder(const TrueImage& image) {
  return std::ranges::any_of(image.tags, IsOrdered);
}

class Oracle {
 public:
  Oracle(const RankedWorld& metadata, const Plan& plan) : truth_(metadata.truth), plan_(plan) {}

  Newer Count(ImagePos at, const Truth& tag) const {
    const bool with_prereleases = tag.prerelease;
    Newer count;
    for (const ImagePos other : Positions(truth_)) {
      if (other == at) continue;
      const int theirs = Best(truth_[other], tag, with_prereleases);
      if (theirs < 0) continue;
      if (theirs > Best(truth_[at], tag, with_prereleases)) {
        ++count.newer;
        if (plan_.decisions[other].verdict != Verdict::kRemove) count.stays = true;
      } else if (truth_[other].in_use) {
        ++count.in_use;
      }
    }
    return count;
  }

 private:
  // The greatest order of the image in the tag's scheme, or -1 if it has none.
  int Best(const TrueImage& image, const Truth& tag, bool with_prereleases) const {
    int best = -1;
    for (const Truth& its : image.tags) {
      if (IsOrdered(tag)) {
        if (its.scheme == tag.scheme && (with_prereleases || !its.prerelease))
          best = std::max(best, its.order);
        continue;
      }
      // A tag with an order decides the rank. All words share one scheme.
      const bool words = kSchemes[tag.scheme].order == Order::kNone;
      if (HasOrder(image) || its.scheme == kSignature || IsOrdered(its)) continue;
      if (words ? kSchemes[its.scheme].order == Order::kNone : its.scheme == tag.scheme)
        best = image.sight;
    }
    return best;
  }

  const ByImage<TrueImage>& truth_;
  const Plan& plan_;
};

TEST(RankingProperty, RemovesByRankOnlyBehindNewerImagesOfTheScheme) {
  std::size_t decisions = 0, superseded = 0, by_rule = 0, local = 0, pushed_out = 0;
  for (std::uint64_t seed = 0; seed < kWorlds; ++seed) {
    RankedWorld metadata(seed);
    const Policy& policy = metadata.policy;
    const Plan plan = MakePlan(policy, metadata.seen());
    const Oracle oracle(metadata, plan);
    const bool numbered = !policy.rules.empty();
    const int kept = numbered ? *policy.rules[0].keep_last : policy.keep.last_per_repository;
    const bool in_use = std::ranges::any_of(metadata.truth, &TrueImage::in_use);
    for (const Decision& decision : plan.decisions) {
      ++decisions;
      if (decision.verdict != Verdict::kRemove) continue;
      const ImagePos at = decision.image;
      const TrueImage& image = metadata.truth[at];
      const bool has_order = HasOrder(image);
      const bool has_room = numbered || in_use;
      superseded += decision.code == Code::kSuperseded ? 1 : 0;
      by_rule += decision.code == Code::kRule ? 1 : 0;
      local += image.local ? 1 : 0;
      for (const Truth& tag : image.tags) {
        const auto where = "seed " + N(static_cast<int>(seed)) + ", " +
                           metadata.seen().images[at].display_name() + ": " + decision.reason;
        if (tag.scheme == kSignature) {
          if (image.tags.size() == 1) {
            ASSERT_EQ(decision.code, Code::kAge) << where;
          }
          continue;
        }
        if (has_order && !IsOrdered(tag)) continue;
        const Newer count = oracle.Count(at, tag);
        const int taken = count.newer + count.in_use;
        if (has_room) {
          ASSERT_GE(taken, kept) << where;
          pushed_out += kept > 0 ? 1 : 0;
        }
        if (!IsOrdered(tag) && image.local && has_room) {
          ASSERT_EQ(kept, 0) << "by first seen alone, " << where;
        }
        if (decision.code == Code::kSuperseded && !numbered) {
          ASSERT_GE(count.newer, 1) << where;
          ASSERT_GE(taken, std::max(1, kept)) << where;
          ASSERT_TRUE(IsOrdered(tag) || kSchemes[tag.scheme].order == Order::kBySight) << where;
          ASSERT_TRUE(IsOrdered(tag) || !image.local) << where;
        }
        if (image.local && policy.keep.local_only == LocalOnly::kUnlessSuperseded) {
          ASSERT_TRUE(IsOrdered(tag)) << where;
          ASSERT_TRUE(count.stays) << where;
          ASSERT_TRUE(tag.scheme == kSemantic || !kSchemes[tag.scheme].of_names) << where;
        }
      }
      ASSERT_FALSE(image.local && policy.keep.local_only == LocalOnly::kAlways);
    }
  }
  EXPECT_GE(decisions, 200'000U);
  EXPECT_GE(superseded, decisions / 100) << "the worlds must show it";
  EXPECT_GE(by_rule, decisions / 100);
  EXPECT_GE(local, decisions / 100);
  EXPECT_GE(pushed_out, decisions / 100);
}

TEST(RankingProperty, AnImageOfAnotherSchemeNeverRemovesMore) {
  std::size_t removed = 0;
  for (std::uint64_t seed = 0; seed < kWorlds / 20; ++seed) {
    RankedWorld metadata(seed);
    const auto before = MakePlan(metadata.policy, metadata.seen()).removals;
    const std::set<ImagePos> gone(before.begin(), before.end());
    const ImagePos old(metadata.truth.size());
    removed += gone.size();
    for (int scheme = 0; scheme <= kSemantic; ++scheme) {
      const bool word = scheme < kSemantic && kSchemes[scheme].order == Order::kNone;
      // All words share one scheme.
      if (metadata.Has(scheme) || (word && scheme != kSignature)) continue;
      metadata.AddImage(1, scheme);
      for (const auto at : MakePlan(metadata.policy, metadata.seen()).removals) {
        if (at >= old) continue;
        ASSERT_TRUE(gone.contains(at))
            << "seed " << seed << ", " << metadata.seen().images[at].display_name() << " for "
            << metadata.seen().images.back().display_name();
      }
    }
  }
  EXPECT_GT(removed, kWorlds / 20);
}

}  // namespace
}  // namespace imagesweep
