#include "agent/execute/untag.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "tests/support/fake_node.h"

namespace imagesweep {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

struct DroppingNode final : NameRemover {
  explicit DroppingNode(FakeNode& its_node) : node(its_node) {}
  Status Drop(const Image& image, const ImageName& name, SystemTime not_since,
              const std::stop_token&) override {
    if (before) before();
    if (!answer) return answer;
    dropped.push_back(name.text());
    since.push_back(not_since);
    for (Image& one : node.images)
      if (one.id == image.id) std::erase(one.tags, name);
    return Done{};
  }
  FakeNode& node;
  std::function<void()> before;
  Status answer = Done{};
  std::vector<std::string> dropped;
  std::vector<SystemTime> since;
};

// An image in use with the tags a, b, c and d, of which the plan drops a, b and c.
struct UntaggerTest : testing::Test {
  UntaggerTest() {
    node.images.push_back(Img("app", {"app:a", "app:b", "app:c", "app:d"}));
    node.AddPod("shop", "api", Id("app"));
    for (const std::uint32_t tag : {0U, 1U, 2U})
      plan.untags.push_back({1, tag, "builds", Millis(5)});
  }
  Untagging Run(NameRemover* with) {
    evidence = {node.identity, node.images, node.use, node.pods, {}};
    node.calls.clear();
    const ImageIndex index(evidence.images);
    return Untagger(look, with, clock)
        .Run(
            plan, evidence, index, 2, [this] { return end; }, stop.get_token());
  }
  Untagging Run() { return Run(&names); }
  static std::string Tag(const std::string& tag) { return "docker.io/library/app:" + tag; }

  FakeClock clock;
  FakeNode node{clock};
  DroppingNode names{node};
  Expectations expected;
  LastLook look{node, &node, nullptr, expected, clock};
  Plan plan;
  Evidence evidence;
  std::string end;
  std::stop_source stop;
};

TEST_F(UntaggerTest, DropsThemAfterOneLook) {
  const Untagging done = Run();
  EXPECT_THAT(names.dropped, ElementsAre(Tag("a"), Tag("b"), Tag("c")));
  EXPECT_THAT(names.since, Each(clock.Now() - Millis(5)));
  EXPECT_THAT(done.outcomes, SizeIs(3));
  EXPECT_THAT(done.outcomes, Each(Field(&NameOutcome::kind, OutcomeKind::kRemoved)));
  EXPECT_EQ(std::ranges::count(node.calls, "ListImages"), 1);
  EXPECT_EQ(done.recheck_window_seconds.size(), 3U);
}

TEST_F(UntaggerTest, ADryRunLooksAndDropsNothing) {
  const Untagging done = Run(nullptr);
  EXPECT_THAT(done.outcomes, Each(Field(&NameOutcome::kind, OutcomeKind::kWouldRemove)));
  EXPECT_THAT(names.dropped, IsEmpty());
  EXPECT_EQ(std::ranges::count(node.calls, "ReadUse"), 1);
}

TEST_F(UntaggerTest, SparesWhatIsNamedOrChangedByThenAndNothingElse) {
  struct Case {
    const char* why;
    std::function<void()> change;
    const char* says;
  };
  const Case cases[] = {
      {"a pod was bound that names it", [&] { node.AddPod("shop", "new", "app:b"); }, "shop/new"},
      {"a container was made of it",
       [&] {
         node.use.references.push_back(
             {Tag("b"), {}, {ReferrerKind::kContainer, "shop", "new", "web"}});
       },
       "came into use"},
      {"it became the pause image's name", [&] { node.use.sandbox_images.push_back("app:b"); },
       "pause"},
      {"somebody else dropped it",
       [&] { std::erase(node.images[1].tags, ImageName::Parse("app:b")); }, "no tag of its image"},
  };
  const FakeNode fresh = node;
  for (const auto& c : cases) {
    node = fresh;
    names.dropped.clear();
    node.on_call = [&, seen = false](const std::string& call) mutable -> std::optional<Error> {
      if (call == "ListImages" && !std::exchange(seen, true)) c.change();
      return std::nullopt;
    };
    const Untagging done = Run();
    EXPECT_THAT(names.dropped, ElementsAre(Tag("a"), Tag("c"))) << c.why;
    const auto spared = std::ranges::find(done.outcomes, OutcomeKind::kSpared, &NameOutcome::kind);
    ASSERT_NE(spared, done.outcomes.end()) << c.why;
    EXPECT_EQ(spared->untag, 1U) << c.why;
    EXPECT_THAT(spared->detail, HasSubstr(c.says)) << c.why;
  }
}

TEST_F(UntaggerTest, NoImageLosesItsLastTag) {
  node.on_call = [&](const std::string& call) -> std::optional<Error> {
    if (call == "ListImages") std::erase(node.images[1].tags, ImageName::Parse("app:d"));
    return std::nullopt;
  };
  const Untagging done = Run();
  EXPECT_THAT(names.dropped, IsEmpty());
  EXPECT_THAT(done.outcomes,
              Each(Field(&NameOutcome::detail, HasSubstr("no tag of that repository left"))));
}

TEST_F(UntaggerTest, AnImageThatIsGoneOrPinnedByThenKeepsItsTags) {
  const std::pair<std::function<void()>, const char*> cases[] = {
      {[&] { node.images[1].pinned = true; }, "pinned"},
      {[&] { node.images.erase(node.images.begin() + 1); }, "gone"}};
  const FakeNode fresh = node;
  for (const auto& one : cases) {
    node = fresh;
    node.on_call = [change = one.first,
                    seen = false](const std::string& call) mutable -> std::optional<Error> {
      if (call == "ListImages" && !std::exchange(seen, true)) change();
      return std::nullopt;
    };
    const Untagging done = Run();
    EXPECT_THAT(names.dropped, IsEmpty());
    EXPECT_THAT(done.outcomes, Each(Field(&NameOutcome::detail, HasSubstr(one.second))));
  }
}

TEST_F(UntaggerTest, WhoCannotLookAgainDropsNothing) {
  for (const char* call : {"ListImages", "ReadUse", "ReadContainers", "ReadPods"}) {
    node.on_call = [&](const std::string& name) -> std::optional<Error> {
      if (name == call) return Error{ErrorKind::kUnavailable, "away"};
      return std::nullopt;
    };
    const Untagging done = Run();
    ASSERT_TRUE(done.refused) << call;
    EXPECT_EQ(done.refused->error.kind, ErrorKind::kUnavailable);
    EXPECT_THAT(done.outcomes, Each(Field(&NameOutcome::kind, OutcomeKind::kSpared)));
    EXPECT_THAT(names.dropped, IsEmpty());
  }
}

TEST_F(UntaggerTest, LooksAgainWhenALookIsTooOld) {
  names.before = [&] { clock.Advance(Millis(30)); };
  const Untagging done = Run();
  EXPECT_THAT(names.dropped, SizeIs(3));
  EXPECT_EQ(std::ranges::count(node.calls, "ListImages"), 2);
  for (const double window : done.recheck_window_seconds) EXPECT_LE(window, 0.05);
}

TEST_F(UntaggerTest, WhatALookThatGrewOldFoundInUseStays) {
  names.before = [&] { clock.Advance(Millis(60)); };
  node.on_call = [&, looks = 0](const std::string& call) mutable -> std::optional<Error> {
    if (call != "ReadUse") return std::nullopt;
    if (++looks == 1)
      node.use.references.push_back({Tag("c"), {}, {ReferrerKind::kContainer, "shop", "n", "w"}});
    if (looks == 2) node.use.references.pop_back();
    return std::nullopt;
  };
  const Untagging done = Run();
  EXPECT_THAT(names.dropped, ElementsAre(Tag("a"), Tag("b")));
  const auto spared = std::ranges::find(done.outcomes, OutcomeKind::kSpared, &NameOutcome::kind);
  ASSERT_NE(spared, done.outcomes.end());
  EXPECT_THAT(spared->detail, HasSubstr("came into use"));
}

TEST_F(UntaggerTest, AMachineThatIsTooBusyIsLeftAlone) {
  node.on_call = [&](const std::string& call) -> std::optional<Error> {
    if (call == "ReadPods") clock.Advance(Millis(60));
    return std::nullopt;
  };
  const Untagging done = Run();
  EXPECT_THAT(names.dropped, IsEmpty());
  EXPECT_THAT(done.outcomes, Each(Field(&NameOutcome::detail, HasSubstr("too busy"))));
}

TEST_F(UntaggerTest, WhatTheRuntimeSaysDecidesWhatBecameOfIt) {
  names.answer = Error{ErrorKind::kIncomplete, "app:a stands for another image by now"};
  EXPECT_THAT(Run().outcomes, Each(Field(&NameOutcome::kind, OutcomeKind::kSpared)));
  names.answer = Error{ErrorKind::kUnavailable, "away"};
  EXPECT_THAT(Run().outcomes, Each(Field(&NameOutcome::kind, OutcomeKind::kFailed)));
}

TEST_F(UntaggerTest, EndsWhenToldTo) {
  end = "the window closed";
  EXPECT_THAT(Run().outcomes, Each(Field(&NameOutcome::detail, "the window closed")));
  end.clear();
  stop.request_stop();
  const Untagging done = Run();
  EXPECT_THAT(done.outcomes, Each(Field(&NameOutcome::detail, "told to stop")));
  EXPECT_FALSE(done.refused);
  EXPECT_THAT(names.dropped, IsEmpty());
}

}  // namespace
}  // namespace imagesweep
