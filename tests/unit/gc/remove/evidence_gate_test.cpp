#include "agent/gc/remove/evidence_gate.h"

#include <gtest/gtest.h>

#include "tests/support/fake_node.h"

namespace imagesweep {
namespace {

struct GateTest : testing::Test {
  std::optional<Refusal> Check(std::size_t referenced) {
    const ImageIndex index(node.images);
    Evidence evidence{node.identity, ByImage<Image>(node.images), node.use, node.pods};
    evidence.pods->listed_at = clock.Steady();
    return gate.Check(evidence, index, referenced, clock.Steady());
  }
  FakeClock clock;
  FakeNode node{clock};
  EvidenceGate gate{Expectations{}};
};

TEST_F(GateTest, AbortsOneRunWhenASourceChanges) {
  const std::function<void()> changes[] = {
      [&] { node.identity.socket_inode = 8; }, [&] { node.identity.version = "2.1.0"; },
      [&] { node.identity.name = "cri-o"; },   [&] { node.pods.node_uid = "other"; },
      [&] { node.pods.cluster = "other"; },    [&] { node.pods.node_name = "other"; },
  };
  EXPECT_FALSE(Check(10));
  for (const auto& change : changes) {
    change();
    const auto refusal = Check(10);
    ASSERT_TRUE(refusal);
    EXPECT_EQ(refusal->source, "identity");
    EXPECT_FALSE(Check(10)) << "the next run evaluates the node again";
  }
}

TEST_F(GateTest, AbortsOnASharpFallOfReferencesUntilAViewAMinuteLater) {
  struct {
    std::size_t before, now;
    bool sharp;
  } cases[] = {{10, 5, false},  {10, 4, true}, {100, 80, false},
               {100, 79, true}, {1, 0, true},  {5, 9, false}};
  for (const auto& c : cases) {
    gate = EvidenceGate(Expectations{});
    ASSERT_FALSE(Check(c.before));
    const auto refusal = Check(c.now);
    EXPECT_EQ(refusal.has_value(), c.sharp) << c.before << " to " << c.now;
    if (!refusal) continue;
    EXPECT_EQ(refusal->source, "references");
    clock.Advance(Millis(59'000));
    EXPECT_TRUE(Check(c.now));
    clock.Advance(Millis(1'000));
    EXPECT_FALSE(Check(c.now));
    EXPECT_FALSE(Check(c.now));
  }
}

TEST_F(GateTest, RestartsTheMinuteWhenReferencesFallFurther) {
  ASSERT_FALSE(Check(40));
  EXPECT_TRUE(Check(15));
  clock.Advance(Millis(60'000));
  EXPECT_TRUE(Check(2));
  clock.Advance(Millis(60'000));
  EXPECT_FALSE(Check(2));
}

TEST_F(GateTest, PassesWhenTheReferencesRecover) {
  ASSERT_FALSE(Check(40));
  EXPECT_TRUE(Check(3));
  EXPECT_FALSE(Check(40));
  clock.Advance(Millis(120'000));
  EXPECT_TRUE(Check(3)) << "the wait starts over";
}

}  // namespace
}  // namespace imagesweep
