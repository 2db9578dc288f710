#include <gmock/gmock.h>

#include <utility>

#include "agent/app/restore_choice.h"
#include "agent/app/sweeper.h"
#include "tests/state/ledger_files.h"
#include "tests/support/fake_node.h"

// Rules with Untag, from a run's first look to its entry in the history.

namespace imagesweep {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr Millis kMinimumAge = std::chrono::hours(1);

struct NoLayers final : layers::LayerReader {
  Result<std::shared_ptr<const layers::LayerGraph>> Read(std::span<const Image> images,
                                                         const std::stop_token&) override {
    if (!is_containerd) return Error{ErrorKind::kNotFound, "no containerd"};
    return std::shared_ptr<const layers::LayerGraph>(
        std::make_shared<layers::LayerGraph>(layers::World("k8s.io", SystemTime()), images));
  }
  bool is_containerd = true;
};

struct Names final : NameRemover {
  explicit Names(FakeNode& its_node) : node(its_node) {}
  Status Drop(const Image& image, const ImageName& name, SystemTime,
              const std::stop_token&) override {
    dropped.push_back(std::string(name.tag()));
    for (Image& one : node.images)
      if (one.id == image.id) std::erase(one.tags, name);
    return Done{};
  }
  FakeNode& node;
  std::vector<std::string> dropped;
};

// An image that a pod runs as app:v1 and that is also app:build-7.
struct UntagRunTest : testing::Test {
  UntagRunTest() {
    active.policy.minimum_age = kMinimumAge;
    active.policy.limits.max_percent_of_images = 100;
    active.policy.rules.push_back(
        {"builds", {{}, {"build-*"}, {}}, RuleAction::kUntag, {}, {}, {}});
    node.images.push_back(Img("app", {"app:build-7", "app:v1"}));
    node.AddPod("shop", "api", "app:v1");
  }
  Report Sweep(std::optional<Millis> running_for = {}) {
    SweepOptions options;
    options.dry_run = dry_run;
    options.running_for = running_for;
    return sweeper.Sweep(active, options, {});
  }
  Report SweepAfter(Millis time) {
    clock.Advance(time);
    return Sweep();
  }

  FakeClock clock;
  FakeNode node{clock};
  Names names{node};
  NoLayers layers;
  TempDir directory;
  bool dry_run = false;
  std::vector<ImageReference> recent;
  std::unique_ptr<Ledger> ledger = Ledger::InMemory(clock);
  std::unique_ptr<History> history = History::Open(directory.path(), clock);
  ActivePolicy active{Policy::Default(), {"test", "000000000000"}};
  NodeParts Parts() {
    NodeParts parts{node, &node, node, node, *ledger, clock};
    parts.layers = &layers;
    parts.history = history.get();
    parts.name_remover = &names;
    return parts;
  }
  Sweeper sweeper{Parts(), "node1", std::nullopt, [this] { return recent; }};
};

TEST_F(UntagRunTest, ATagGoesOnceItIsOldEnoughAndTheWayBackIsWritten) {
  EXPECT_THAT(Sweep().plan.untags, IsEmpty()) << "first seen just now";
  EXPECT_THAT(SweepAfter(kMinimumAge - Millis(1)).plan.untags, IsEmpty());
  const Report report = SweepAfter(Millis(1));
  EXPECT_THAT(names.dropped, ElementsAre("build-7"));
  ASSERT_EQ(report.untagged.size(), 1U);
  EXPECT_EQ(report.untagged[0].kind, OutcomeKind::kRemoved);
  EXPECT_EQ(ResultOf(report), "success");
  const auto removals = history->Removals({});
  ASSERT_TRUE(removals);
  ASSERT_EQ(removals->size(), 1U);
  EXPECT_TRUE(removals->front().done);
  EXPECT_EQ(removals->front().code, "Untag");
  EXPECT_THAT(removals->front().names, ElementsAre("docker.io/library/app:build-7"));
  EXPECT_EQ(ChooseRemovals(*removals, {RestoreWish::Of::kImage, "app:build-7"})->size(), 1U);
  EXPECT_THAT(SweepAfter(Millis(1)).pulled_again, IsEmpty()) << "its image never went";
}

TEST_F(UntagRunTest, ADryRunChangesNothing) {
  dry_run = true;
  Sweep();
  Report report;
  for (int looks = 0; looks < 6; ++looks) report = SweepAfter(kMinimumAge / 6);
  ASSERT_EQ(report.untagged.size(), 1U);
  EXPECT_EQ(report.untagged[0].kind, OutcomeKind::kWouldRemove);
  EXPECT_THAT(names.dropped, IsEmpty());
  EXPECT_THAT(*history->Removals({}), IsEmpty());
}

TEST_F(UntagRunTest, WhoNamedItBetweenTwoLooksMakesItYoung) {
  Sweep();
  recent.push_back({"app:build-7", {}, {}});
  EXPECT_THAT(SweepAfter(kMinimumAge).plan.untags, IsEmpty());
  recent.clear();
  EXPECT_THAT(SweepAfter(Millis(1)).plan.untags, IsEmpty());
  EXPECT_THAT(SweepAfter(kMinimumAge - Millis(1)).plan.untags, IsEmpty());
  EXPECT_EQ(SweepAfter(Millis(1)).plan.untags.size(), 1U);
}

TEST_F(UntagRunTest, ALookWithAnotherPolicyDoesNotMakeItYoung) {
  const std::vector<Rule> rules = std::exchange(active.policy.rules, {});
  Sweep();
  EXPECT_THAT(SweepAfter(kMinimumAge).plan.untags, IsEmpty());
  active.policy.rules = rules;
  EXPECT_EQ(SweepAfter(Millis(1)).plan.untags.size(), 1U);
}

TEST_F(UntagRunTest, ATagThatMovedToAnotherImageBeginsAnew) {
  Sweep();
  node.images.push_back(Img("next", {"app:v2", "app:build-7"}));
  std::erase(node.images[1].tags, ImageName::Parse("app:build-7"));
  node.AddPod("shop", "next", "app:v2");
  EXPECT_THAT(SweepAfter(kMinimumAge).plan.untags, IsEmpty());
  EXPECT_EQ(SweepAfter(kMinimumAge).plan.untags.size(), 1U);
}

TEST_F(UntagRunTest, TheAgentWantsItGoneInSeveralRunsInARow) {
  active.policy.limits.confirm_runs = 2;
  Sweep(kMinimumAge);
  Report report;
  for (int looks = 0; looks < 6; ++looks) {
    clock.Advance(kMinimumAge / 6);
    report = Sweep(kMinimumAge);
  }
  EXPECT_THAT(report.plan.untags, IsEmpty());
  ASSERT_EQ(report.plan.tags_that_stay.size(), 1U);
  EXPECT_THAT(report.plan.tags_that_stay[0].why, HasSubstr("1 of 2 evaluations"));
  EXPECT_EQ(Sweep(kMinimumAge).plan.untags.size(), 1U);
  EXPECT_THAT(names.dropped, ElementsAre("build-7"));
}

TEST_F(UntagRunTest, WhatIsListedAllTheSameDidNotGo) {
  Sweep();
  node.on_call = [&](const std::string& call) -> std::optional<Error> {
    if (call == "ListImages" && !names.dropped.empty() && node.images[1].tags.size() == 1)
      node.images[1].tags.push_back(ImageName::Parse("app:build-7"));
    return std::nullopt;
  };
  const Report report = SweepAfter(kMinimumAge);
  ASSERT_EQ(report.untagged.size(), 1U);
  EXPECT_EQ(report.untagged[0].kind, OutcomeKind::kStillListed);
  EXPECT_EQ(ResultOf(report), "partial");
}

TEST_F(UntagRunTest, ElsewhereTheRuleDoesNothingAndIsReported) {
  layers.is_containerd = false;
  Sweep();
  const Report report = SweepAfter(kMinimumAge);
  EXPECT_THAT(report.plan.untags, IsEmpty());
  EXPECT_THAT(report.warnings, Contains(HasSubstr("a rule asks for Untag")));
}

TEST_F(UntagRunTest, ARunThatRefusesDropsNothing) {
  Sweep();
  node.on_call = [&](const std::string& call) -> std::optional<Error> {
    if (call == "ReadPods") return Error{ErrorKind::kUnavailable, "away"};
    return std::nullopt;
  };
  EXPECT_TRUE(SweepAfter(kMinimumAge).refused);
  EXPECT_THAT(names.dropped, IsEmpty());
}

}  // namespace
}  // namespace imagesweep
