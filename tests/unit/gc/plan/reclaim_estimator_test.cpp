#include "agent/gc/plan/reclaim_estimator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/gc/plan/free_space_target.h"
#include "agent/gc/plan/planner.h"
#include "tests/support/observation.h"
#include "tests/unit/imagestore/spec.h"

namespace imagesweep {
namespace {

using layers::LabNode;
using std::chrono::hours;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;

LabNode::Layer Layer(const std::string& name, std::uint64_t mib) {
  return {name, 0, {mib * kMiB, 10}};
}

// Two images of one large layer each share nothing. "one" and "two" share all but a few bytes, and
// so do "used", which a pod runs, and "same". All others are idle, in this order of last use.
struct ReclaimEstimatorTest : testing::Test {
  ReclaimEstimatorTest() {
    policy.minimum_age = hours(1);
    policy.maximum_age = Millis(0);
    policy.remove_superseded = false;
    policy.disk = {{75, 65}, {0, 0}, {0, std::chrono::minutes(5)}};
    policy.limits.max_percent_of_images = 100;
    lab.with_layer_blobs = false;
    const LabNode::Layer shared = Layer("shared", 40), running = Layer("running", 40);
    lab.Pull("same", {running});
    lab.Pull("one", {shared});
    lab.Pull("big", {Layer("big", 30)});
    lab.Pull("two", {shared});
    lab.Pull("used", {running});
    lab.Run("pod", {running});
    for (const ImagePos at : {kSame, kOne, kBig, kTwo}) {
      // The sizes of the runtime do not show sharing.
      lab.images[at].size_bytes = 60 * kMiB;
      seen.Add(lab.images[at], hours(200 - static_cast<int>(at.value())));
    }
    seen.Add(lab.images[kUsed], hours(0));
    seen.Use(lab.images[kUsed].id.text());
  }
  // So that `missing` MiB must be freed.
  Plan PlanFor(std::uint64_t missing) {
    seen.Disk(1000 * kMiB, (350 - missing) * kMiB);
    graph = std::make_unique<layers::LayerGraph>(lab.spec.Build(), lab.images);
    return MakePlan(PlanContext(policy, seen.seen(), graph.get()));
  }
  static constexpr ImagePos kSame{0}, kOne{1}, kBig{2}, kTwo{3}, kUsed{4};

  Policy policy;
  LabNode lab;
  ObservationBuilder seen;
  std::unique_ptr<layers::LayerGraph> graph;
};

TEST_F(ReclaimEstimatorTest, SkipsImagesThatFreeAlmostNothing) {
  policy.disk.high_percent = 60;
  const Plan plan = PlanFor(20);
  EXPECT_EQ(plan.removals, ImagesAt(kBig)) << "the others were used less recently";
  EXPECT_EQ(plan.decisions[kOne].code, Code::kIdle) << "enough came free without it";
  EXPECT_NEAR(static_cast<double>(*plan.decisions[kBig].frees), 30.0 * kMiB, kMiB);
}

TEST_F(ReclaimEstimatorTest, RemovesImagesTogetherWhenTheyShareLayers) {
  policy.disk.high_percent = 60;
  const Plan plan = PlanFor(60);
  EXPECT_EQ(plan.removals, ImagesAt(kBig, kOne, kTwo));
  EXPECT_LT(*plan.decisions[kOne].frees, kMiB);
  EXPECT_GT(*plan.decisions[kTwo].frees, 39 * kMiB) << "with the second what both share";
  EXPECT_EQ(plan.decisions[kSame].code, Code::kIdle);
}

TEST_F(ReclaimEstimatorTest, DefersImagesWhoseLayersAreAllInUse) {
  policy.disk.high_percent = 60;
  const Plan plan = PlanFor(300);
  EXPECT_EQ(plan.removals, ImagesAt(kBig, kOne, kTwo));
  EXPECT_EQ(plan.decisions[kSame].verdict, Verdict::kDefer);
  EXPECT_EQ(plan.decisions[kSame].code, Code::kNoGain);
  EXPECT_THAT(plan.decisions[kSame].reason, HasSubstr("less than 1 MiB"));
}

// Unused for the same time: the sizes of the runtime do not matter, and each chosen image counts
// for the next.
TEST_F(ReclaimEstimatorTest, RemovesTheImageThatFreesMostFirstAmongEqualAges) {
  LabNode node;
  node.with_layer_blobs = false;
  const LabNode::Layer shared = Layer("both", 40);
  node.Pull("small", {Layer("small", 5)});
  node.Pull("half", {shared, Layer("half", 4)});
  node.Pull("other", {shared, Layer("other", 2)});
  node.Pull("middle", {Layer("middle", 3)});
  node.Pull("large", {Layer("large", 30)});
  ObservationBuilder equal;
  for (const ImagePos at : Positions(node.images)) {
    node.images[at].size_bytes =
        std::uint64_t{at.value() + 1} * (at == ImagePos(4) ? 1 : 100) * kMiB;
    equal.Add(node.images[at], hours(200));
  }
  equal.Disk(1000 * kMiB, 250 * kMiB);  // 100 MiB to the low threshold
  const layers::LayerGraph layers(node.spec.Build(), node.images);
  policy.disk.high_percent = 60;
  const Plan plan = MakePlan(PlanContext(policy, equal.seen(), &layers));
  EXPECT_EQ(plan.removals, ImagesAt(4, 0, 1, 2, 3)) << "large, small, half, then other";
}

TEST_F(ReclaimEstimatorTest, RemovesTheImageWithMostInodesFirstWhenOnlyInodesAreShort) {
  LabNode node;
  node.with_layer_blobs = false;
  node.Pull("bytes", {{"bytes", 0, {90 * kMiB, 10}}});
  node.Pull("files", {{"files", 0, {5 * kMiB, 200}}});
  ObservationBuilder equal;
  for (Image& image : node.images) equal.Add(image, hours(200));
  equal.Disk(1000 * kMiB, 900 * kMiB);
  equal.seen().disk->inodes = 1000;
  equal.seen().disk->inodes_free = 200;  // 150 to the low threshold
  const layers::LayerGraph layers(node.spec.Build(), node.images);
  policy.disk.inodes = {75, 65};
  EXPECT_EQ(MakePlan(PlanContext(policy, equal.seen(), &layers)).removals, ImagesAt(1));
  equal.Disk(1000 * kMiB, 200 * kMiB);
  EXPECT_EQ(MakePlan(PlanContext(policy, equal.seen(), &layers)).removals, ImagesAt(0, 1));
}

TEST_F(ReclaimEstimatorTest, AppliesNoGainOnlyToRemovalsForSpace) {
  policy.maximum_age = hours(100);
  policy.disk.high_percent = 0;
  EXPECT_EQ(PlanFor(0).removals, ImagesAt(kSame, kOne, kBig, kTwo)) << "they are too old";
}

TEST_F(ReclaimEstimatorTest, UsesTheSizesOfTheRuntimeWithoutLayers) {
  policy.disk.high_percent = 60;
  PlanFor(100);
  const Plan plan = MakePlan(policy, seen.seen());
  EXPECT_EQ(plan.removals, ImagesAt(kSame, kOne)) << "as if they shared nothing";
  EXPECT_FALSE(plan.decisions[kSame].frees);
}

TEST_F(ReclaimEstimatorTest, UsesTheSizeOfAnImageWithoutRecords) {
  std::erase_if(lab.spec.images,
                [&](const auto& record) { return record.target == Id("mansame"); });
  policy.disk.high_percent = 60;
  const Plan plan = PlanFor(50);
  EXPECT_EQ(plan.removals, ImagesAt(kSame));
  EXPECT_FALSE(plan.decisions[kSame].frees) << "and nothing is claimed of it";
}

TEST_F(ReclaimEstimatorTest, ReachesAFreeSpaceTargetOnlyWithImagesThatFreeSpace) {
  PlanFor(0);
  const std::uint64_t wanted = seen.seen().disk->available_bytes + 500 * kMiB;
  const Plan plan = PlanForFreeSpace(PlanContext(policy, seen.seen(), graph.get()), wanted);
  EXPECT_EQ(plan.removals, ImagesAt(kBig, kOne, kTwo));
  EXPECT_EQ(plan.decisions[kSame].code, Code::kNoGain);
}

}  // namespace
}  // namespace imagesweep
