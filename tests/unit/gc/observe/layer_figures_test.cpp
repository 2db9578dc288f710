#include "agent/gc/observe/layer_figures.h"

#include <gtest/gtest.h>

#include "tests/support/report.h"

namespace imagesweep {
namespace {

// A dry run over SampleReport that would remove app:1 of 2000 bytes.
Report DryRun() {
  Report report = SampleReport();
  report.dry_run = true;
  report.outcomes = {{ImagePos(1), OutcomeKind::kWouldRemove, {}},
                     {ImagePos(2), OutcomeKind::kSkipped, "in use"}};
  report.layers.emplace();
  report.layers->removed = {3000, 40, "exact", ""};
  return report;
}

TEST(PredictAfter, SubtractsTheImagesThatWouldBeRemoved) {
  const NodeTotals left = PredictAfter(DryRun());
  EXPECT_EQ(left.images, 2U);
  EXPECT_EQ(left.bytes, 5000U);
  EXPECT_EQ(left.reclaimable_bytes, 4000U);
  ASSERT_TRUE(left.disk);
  EXPECT_EQ(left.disk->available_bytes, 4000U);
  EXPECT_EQ(left.disk->inodes_free, 540U);
}

TEST(PredictAfter, PredictsNoMoreFreeSpaceThanTheCapacity) {
  Report report = DryRun();
  report.layers->removed = {50'000, 5'000, "at most", "Leases.List: broken"};
  const NodeTotals left = PredictAfter(report);
  EXPECT_EQ(left.disk->available_bytes, left.disk->capacity_bytes);
  EXPECT_EQ(left.disk->inodes_free, left.disk->inodes);
}

TEST(PredictAfter, PredictsNoDiskUsageWithoutLayers) {
  Report report = DryRun();
  report.layers.reset();
  EXPECT_EQ(PredictAfter(report).images, 2U);
  EXPECT_FALSE(PredictAfter(report).disk);
}

}  // namespace
}  // namespace imagesweep
