#include "agent/plan/untag.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <functional>

#include "agent/plan/planner.h"
#include "agent/plan/what_if.h"
#include "tests/support/observation.h"

namespace imagesweep {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr Millis kOld = std::chrono::hours(48);

Rule Untag(std::vector<std::string> tags) {
  Rule rule;
  rule.name = "builds";
  rule.selector.tags = std::move(tags);
  rule.action = RuleAction::kUntag;
  return rule;
}

// An image in use as app:v1 that was also built as app:build-7 and app:build-8.
struct UntagTest : testing::Test {
  UntagTest() {
    policy.rules.push_back(Untag({"build-*"}));
    builder.Add(Img("app", {"app:build-7", "app:v1", "app:build-8"})).Use("app:v1");
  }
  // As a run does it, each watched tag as old as said.
  std::vector<std::string> Chosen() {
    Observation& seen = builder.seen();
    seen.tag_ages.clear();
    for (const ImageName& tag : TagsToWatch(seen.images))
      seen.tag_ages[tag.text()].unused_for = tag_age;
    const Scene scene(policy, seen);
    plan = Choose(scene);
    ChooseUntags(scene, plan);
    std::vector<std::string> chosen;
    for (const NameToDrop& name : plan.untags)
      chosen.push_back(seen.images[name.image].tags[name.tag].text());
    return chosen;
  }
  Image& image() { return builder.seen().images[0]; }
  std::string Tag(const std::string& tag) { return "docker.io/library/app:" + tag; }

  Policy policy;
  ObservationBuilder builder;
  Millis tag_age = kOld;
  Plan plan;
};

TEST_F(UntagTest, TwoPoliciesDifferInTheTagsThatOnlyOneOfThemDropsOrByAnotherRule) {
  ASSERT_THAT(Chosen(), ElementsAre(Tag("build-7"), Tag("build-8")));
  const Plan now = plan;
  policy.rules[0] = Untag({"build-8"});
  policy.rules[0].name = "other";
  ASSERT_THAT(Chosen(), ElementsAre(Tag("build-8")));
  const PlanDifference difference = Differences(builder.seen(), now, plan);
  std::vector<std::string> texts;
  for (const TagChange& change : difference.tags)
    texts.push_back(std::string(image().tags[change.tag].tag()) + ": " +
                    change.now.value_or("stays") + " -> " + change.then.value_or("stays"));
  EXPECT_THAT(texts, ElementsAre("build-7: builds -> stays", "build-8: builds -> other"));
  EXPECT_THAT(difference.images, IsEmpty());
  EXPECT_TRUE(Differences(builder.seen(), now, now).empty());
  EXPECT_EQ(MakePlan(policy, builder.seen()).untags.size(), plan.untags.size());
  plan.decisions[0].verdict = Verdict::kRemove;
  EXPECT_THAT(Differences(builder.seen(), now, plan).tags, IsEmpty()) << "told of the image";
}

TEST_F(UntagTest, TagsThatNobodyNamesGoAndTheImageStays) {
  EXPECT_THAT(Chosen(), ElementsAre(Tag("build-7"), Tag("build-8")));
  EXPECT_EQ(plan.untags[0].rule, "builds");
  EXPECT_EQ(plan.untags[0].minimum_age, policy.minimum_age);
  EXPECT_THAT(plan.removals, IsEmpty());
}

TEST_F(UntagTest, WhoeverNamesATagKeepsIt) {
  struct Case {
    const char* who;
    std::function<void(Observation&)> names;
  };
  const Case cases[] = {
      {"a pod",
       [&](auto& seen) {
         seen.references.push_back({"app:build-7", {}, {}});
       }},
      {"a pod that gives a digest as well",
       [&](auto& seen) {
         seen.references.push_back({"app:build-7@" + Id("other"), {}, {}});
       }},
      {"a pod by the whole name",
       [&](auto& seen) {
         seen.references.push_back({Tag("build-7"), {}, {}});
       }},
      {"a container by Docker's way",
       [&](auto& seen) {
         seen.references.push_back({"docker://" + Tag("build-7"), {}, {}});
       }},
      {"a workload, whether it counts or not",
       [&](auto& seen) {
         WorkloadReference workload;
         workload.text = "app:build-7";
         workload.revisions_back = 100;
         seen.workloads.push_back(workload);
       }},
      {"the pause image's setting",
       [&](auto& seen) { seen.sandbox_images.emplace_back("other/app:build-7"); }},
  };
  for (const auto& [who, names] : cases) {
    const Observation before = builder.seen();
    names(builder.seen());
    if (std::string_view(who).starts_with("the pause"))
      EXPECT_THAT(Chosen(), ElementsAre(Tag("build-7"), Tag("build-8"))) << "another name";
    else
      EXPECT_THAT(Chosen(), ElementsAre(Tag("build-8"))) << who;
    builder.seen() = before;
  }
  builder.seen().references.push_back({"app:build-7", {}, {}, /*chosen=*/false});
  EXPECT_THAT(Chosen(), ElementsAre(Tag("build-7"), Tag("build-8"))) << "a pod's status shows it";
  builder.seen().references.pop_back();
  // A name without a registry may be of any.
  image().tags[0] = ImageName::Parse("quay.io/team/app:build-7");
  builder.Use("team/app:build-7");
  EXPECT_THAT(Chosen(), ElementsAre(Tag("build-8")));
}

TEST_F(UntagTest, ATagMustHaveBeenUnusedForTheMinimumAge) {
  const std::pair<Millis, bool> cases[] = {
      {Millis(0), false}, {policy.minimum_age - Millis(1), false}, {policy.minimum_age, true}};
  for (const auto& [age, goes] : cases) {
    tag_age = age;
    EXPECT_EQ(!Chosen().empty(), goes) << age.count();
  }
  tag_age = std::chrono::hours(3);
  policy.rules[0].minimum_age = std::chrono::hours(4);
  EXPECT_THAT(Chosen(), IsEmpty());
  const Scene scene(policy, builder.seen());
  builder.seen().tag_ages.clear();
  Plan unknown = Choose(scene);
  ChooseUntags(scene, unknown);
  EXPECT_THAT(unknown.untags, IsEmpty()) << "of unknown age";
}

TEST_F(UntagTest, EveryTagThatStaysSaysWhy) {
  struct Case {
    const char* why;
    std::function<void()> make;
  };
  Observation& seen = builder.seen();
  const Case cases[] = {
      {"named by shop/old/web",
       [&] {
         builder.Use("app:build-7", {ReferrerKind::kPod, "shop", "old", "web"});
       }},
      {"less than minimumAge", [&] { tag_age = Millis(0); }},
      {"keep.tags has \"build-*\"", [&] { policy.keep.tags = {"build-*"}; }},
      {"can be pulled again", [&] { MakeLocal(image()); }},
      {"pinned", [&] { image().pinned = true; }},
      {"keepLast 1 of the rule", [&] { policy.rules[0].keep_last = 1; }},
      {"limits.maxImages 0", [&] { policy.limits.max_images = 0; }},
      {"the only tag of its repository",
       [&] {
         image().tags = {ImageName::Parse("app:v1"), ImageName::Parse("ci:build-7")};
       }},
      {"the last tag of its repository",
       [&] {
         image().tags.erase(image().tags.begin() + 1);
         seen.references[0].text = Id("app");
       }},
      {"the next window opens at",
       [&] {
         seen.at = SystemTime(std::chrono::hours(12));
         policy.windows = {{{}, std::chrono::hours(1), std::chrono::hours(2), "UTC"}};
       }},
  };
  const Observation before = seen;
  const Policy asked = policy;
  for (const Case& c : cases) {
    c.make();
    Chosen();
    EXPECT_TRUE(std::ranges::any_of(plan.tags_that_stay, [&](const TagThatStays& tag) {
      return tag.rule == "builds" && tag.why.find(c.why) != std::string::npos;
    })) << c.why;
    seen = before;
    policy = asked;
    tag_age = kOld;
  }
}

TEST_F(UntagTest, OneTagStaysWhateverTheRuleSays) {
  policy.rules[0].selector.tags.clear();
  builder.seen().references[0].text = Id("app");
  EXPECT_THAT(Chosen(), ElementsAre(Tag("build-7"), Tag("build-8")));
  image().tags = {ImageName::Parse("app:b"), ImageName::Parse("app:a"), ImageName::Parse("app:a"),
                  ImageName::Parse("app:b")};
  EXPECT_THAT(Chosen(), ElementsAre(Tag("a"))) << "listed twice is one";
  image().tags = {ImageName::Parse("app:b"), ImageName::Parse("app:b")};
  EXPECT_THAT(Chosen(), IsEmpty());
}

TEST_F(UntagTest, ImagesThatLoseNoTag) {
  struct Case {
    const char* which;
    std::function<void()> make;
  };
  Observation& seen = builder.seen();
  const Case cases[] = {
      {"can be pulled again", [&] { MakeLocal(image()); }},
      {"pinned", [&] { image().pinned = true; }},
      {"the pause image", [&] { seen.sandbox_images.emplace_back("app:v1"); }},
      {"imagesweep's own", [&] { seen.own_images.emplace_back("app:v1"); }},
      {"too young",
       [&] {
         seen.references.clear();
         seen.ages[0].unused_for = Millis(0);
       }},
      {"about to go whole",
       [&] {
         seen.references.clear();
         policy.maximum_age = std::chrono::hours(1);
         policy.minimum_age = Millis(0);
       }},
  };
  const Observation before = seen;
  const Policy asked = policy;
  for (const auto& [which, make] : cases) {
    make();
    EXPECT_THAT(Chosen(), IsEmpty()) << which;
    seen = before;
    policy = asked;
  }
  EXPECT_THAT(Chosen(), ElementsAre(Tag("build-7"), Tag("build-8")));
}

TEST_F(UntagTest, WhatIsKeptByItsNameStays) {
  policy.keep.tags = {"*-7"};
  EXPECT_THAT(Chosen(), ElementsAre(Tag("build-8")));
  policy.keep.tags.clear();
  policy.keep.images = {*ImageGlob::Parse("app:build-8")};
  EXPECT_THAT(Chosen(), ElementsAre(Tag("build-7")));
  policy.keep.images = {*ImageGlob::Parse(Id("app"))};
  EXPECT_THAT(Chosen(), IsEmpty());
  policy.keep.images.clear();
  Rule keep;
  keep.selector.tags = {"build-7"};
  keep.action = RuleAction::kKeep;
  policy.rules.insert(policy.rules.begin(), keep);
  EXPECT_THAT(Chosen(), ElementsAre(Tag("build-8"))) << "the first rule decides";
}

TEST_F(UntagTest, RollbackRoomKeepsTheTagsThatMakeItThat) {
  builder.Add(Img("older", {"app:build-1", "app:build-2"}));
  EXPECT_THAT(Chosen(), ElementsAre(Tag("build-7"), Tag("build-8")));
  EXPECT_EQ(plan.decisions[1].code, Code::kRetained);
}

// Else it would be no version of that repository any more once nothing runs on it, and others there
// would have none in use.
TEST_F(UntagTest, AnImageKeepsATagOfEachOfItsRepositories) {
  policy.rules[0].selector.tags.clear();
  policy.rules[0].selector.images = {*ImageGlob::Parse("ci/**")};
  builder.Add(Img("x", {"ci/app:43", "team/x:1"})).Use(Id("x"));
  EXPECT_THAT(Chosen(), IsEmpty());
  builder.Add(Img("y", {"ci/y:44", "ci/y:45", "team/x:2"})).Use(Id("y"));
  EXPECT_THAT(Chosen(), ElementsAre("docker.io/ci/y:44"));
}

TEST_F(UntagTest, KeepLastCountsTheImagesOfTheRule) {
  builder.Add(Img("older", {"app:build-1", "app:v0"})).Use(Id("older"));
  builder.seen().references[0].text = Id("app");
  policy.rules[0].keep_last = 1;
  EXPECT_THAT(Chosen(), ElementsAre(Tag("build-1")));
  policy.rules[0].keep_last = 2;
  EXPECT_THAT(Chosen(), IsEmpty());
}

TEST_F(UntagTest, AtMostAsManyAsImagesMayGoAndOnlyInAWindow) {
  policy.limits.max_images = 1;
  EXPECT_THAT(Chosen(), ElementsAre(Tag("build-7")));
  builder.seen().at = SystemTime(std::chrono::hours(12));
  policy.windows = {{{}, std::chrono::hours(1), std::chrono::hours(2), "UTC"}};
  EXPECT_THAT(Chosen(), IsEmpty());
}

// The numbers of the rule are about the tag.
TEST_F(UntagTest, ImagesAreJudgedAsIfTheRuleWereNotThere) {
  builder.seen().references[0].text = Id("app");
  for (const char* older : {"app:build-3", "app:build-2", "app:build-1"})
    builder.Add(Img(older, {older}), std::chrono::hours(30));
  const std::pair<const char*, std::function<void(Policy&, Rule&)>> cases[] = {
      {"keepLast",
       [](Policy& its, Rule& rule) {
         its.keep.last_per_repository = 4;
         rule.keep_last = 0;
       }},
      {"minimumAge",
       [](Policy& its, Rule& rule) {
         its.minimum_age = std::chrono::hours(168);
         rule.minimum_age = std::chrono::hours(24);
       }},
      {"maximumAge", [](Policy&, Rule& rule) { rule.maximum_age = std::chrono::hours(2); }},
      {"keep.unknown", [](Policy& its, Rule&) { its.keep.unknown = true; }},
  };
  for (const auto& [what, set] : cases) {
    Policy with = policy;
    set(with, with.rules[0]);
    Policy without = with;
    without.rules.clear();
    const Plan judged = MakePlan(with, builder.seen());
    const Plan expected = MakePlan(without, builder.seen());
    EXPECT_EQ(judged.removals, expected.removals) << what;
    for (std::size_t at = 0; at < expected.decisions.size(); ++at)
      EXPECT_EQ(judged.decisions[at].reason, expected.decisions[at].reason) << what;
  }
}

}  // namespace
}  // namespace imagesweep
