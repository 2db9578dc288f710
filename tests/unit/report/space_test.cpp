#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "agent/report/documents/json.h"
#include "agent/report/documents/space_figure.h"
#include "agent/report/documents/sweep_page.h"
#include "agent/report/documents/text.h"
#include "tests/support/report.h"

// The space figures of reports, by layers.

namespace imagesweep {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

Report WithLayers() {
  Report report = SampleReport();
  LayerFigures layers;
  layers.images = {{4096, 4096, 4096}, {10240, 2048, 3072}, {8192, 1024, 0}};
  layers.planned = {3072, 7, "exactly", ""};
  layers.removed = {3072, 7, "exactly", ""};
  report.layers = layers;
  return report;
}

json ImageNamed(const json& document, const std::string& name) {
  for (const auto& image : document["images"])
    if (image["names"][0].get<std::string>().ends_with(name)) return image;
  ADD_FAILURE() << name;
  return {};
}

TEST(Space, ShowsUniqueSharedAndFreedBytesInWideRows) {
  const Report report = WithLayers();
  for (const std::string& text :
       {ImagesText(report, {.wide = true}), PlanText(report, {.wide = true})}) {
    EXPECT_THAT(text, HasSubstr("UNIQUE"));
    EXPECT_THAT(text, testing::ContainsRegex("app:1 +[0-9a-f]+ +2.0KiB +2.0KiB +8.0KiB +3.0KiB"));
  }
  EXPECT_THAT(ImagesText(report, {}), Not(HasSubstr("UNIQUE")));
}

TEST(Space, MarksBoundsAndShowsADashWhenUnknown) {
  Report report = WithLayers();
  const std::pair<const char*, const char*> cases[] = {
      {"at most", "\u22643.0KiB"}, {"at least", "\u22653.0KiB"}, {"roughly", "~3.0KiB"}};
  for (const auto& [certainty, expected] : cases) {
    report.layers->planned = {3072, 7, certainty, "Leases.List: broken"};
    EXPECT_THAT(ImagesText(report, {.wide = true}), HasSubstr(expected));
    EXPECT_THAT(PlanText(report, {}),
                HasSubstr(std::string("frees ") + certainty + " 3.0KiB (Leases.List: broken)"));
  }
  report.layers.reset();
  EXPECT_THAT(ImagesText(report, {.wide = true}),
              testing::ContainsRegex("app:1 +[0-9a-f]+ +2.0KiB +- +- +- +Remove"));
}

TEST(Space, APlanSaysWhatItFrees) {
  EXPECT_THAT(PlanText(WithLayers(), {}), HasSubstr("; frees 3.0KiB (exact). "));
  const auto totals = json::parse(PlanJson(WithLayers()))["totals"];
  EXPECT_EQ(totals["predictedFreedBytes"], 3072);
  EXPECT_EQ(totals["predictedFreedInodes"], 7);
  EXPECT_EQ(totals["predictionCertainty"], "exact");
  Report bound = WithLayers();
  bound.layers->planned = {3072, 7, "at most", "Leases.List: broken"};
  EXPECT_EQ(json::parse(PlanJson(bound))["totals"]["predictionCertainty"], "at most");
}

TEST(Space, DocumentsHaveEachImagesLayersOrNull) {
  const Report report = WithLayers();
  for (const std::string& text : {ImagesJson(report), PlanJson(report), SweepJson(report)})
    EXPECT_EQ(ImageNamed(json::parse(text), "app:1")["layers"],
              json({{"totalBytes", 10240}, {"uniqueBytes", 2048}, {"freesBytes", 3072}}));
  const auto plan = json::parse(PlanJson(SampleReport()));
  EXPECT_TRUE(ImageNamed(plan, "app:1")["layers"].is_null());
  EXPECT_TRUE(plan["totals"]["predictedFreedBytes"].is_null());
  EXPECT_TRUE(plan["totals"]["predictionCertainty"].is_null());
}

TEST(Space, AReportHasThePredictionBesideTheMeasurement) {
  Report report = WithLayers();
  report.layers->measured_bytes = 4000;
  report.layers->off_by = "928B more than predicted";
  const auto document = json::parse(SweepJson(report));
  EXPECT_EQ(document["predictedFreedBytes"], 3072);
  EXPECT_EQ(document["predictionCertainty"], "exact");
  EXPECT_EQ(document["measuredFreedBytes"], 4000);
  EXPECT_EQ(document["predictionOffBy"], "928B more than predicted");
  const std::string text = SweepText(report, {});
  EXPECT_THAT(text, HasSubstr("Freed, by the layers: predicted 3.0KiB (exact), measured 3.9KiB."));
  EXPECT_THAT(text, HasSubstr("Difference: 928B more than predicted."));
  const auto page = MakeSweepPage(SweepJson(report));
  ASSERT_TRUE(page) << page.error().what;
  EXPECT_THAT(ToMarkdown(*page), HasSubstr("3.0KiB predicted by the layers (exact)"));
  EXPECT_THAT(ToMarkdown(*page), HasSubstr("Difference: 928B more"));
}

TEST(Space, MoreOnTheDiskThanBeforeIsANegativeMeasurement) {
  Report report = WithLayers();
  report.layers->measured_bytes = -2048;
  EXPECT_THAT(SweepText(report, {}), HasSubstr("measured -2.0KiB"));
}

TEST(Space, AReportWithoutLayersHasNoPrediction) {
  const auto document = json::parse(SweepJson(SampleReport()));
  EXPECT_TRUE(document["predictedFreedBytes"].is_null());
  EXPECT_TRUE(document["predictionOffBy"].is_null());
  EXPECT_EQ(document["measuredFreedBytes"], 1500)
      << "what the file system says is known all the same";
  EXPECT_THAT(SweepText(SampleReport(), {}), Not(HasSubstr("by the layers")));
  EXPECT_THAT(PlanText(SampleReport(), {}), HasSubstr("shared layers stay"));
}

TEST(Space, ADryRunSaysWhatItWouldFree) {
  Report report = WithLayers();
  report.dry_run = true;
  EXPECT_THAT(SweepText(report, {}), HasSubstr("Would free, by the layers: predicted 3.0KiB"));
}

TEST(Space, ADryRunShowsWhatItWouldLeaveAsAnEstimate) {
  Report report = WithLayers();
  report.dry_run = true;
  report.outcomes[0].kind = OutcomeKind::kWouldRemove;
  report.after = report.before;
  report.predicted_after = NodeTotals{2, 5000, 4000, DiskUsage{"/", 10'000, 4'000, 1000, 600}};
  EXPECT_THAT(SweepText(report, {}),
              testing::AllOf(testing::ContainsRegex("BEFORE +AFTER .ESTIMATE."),
                             testing::ContainsRegex("\nImages +3 +2\n"),
                             testing::ContainsRegex("Disk used .*90%. +.*60%.\n")));
  const auto document = json::parse(SweepJson(report));
  EXPECT_EQ(document["after"]["images"], 3) << "as it is";
  EXPECT_EQ(document["predictedAfter"]["images"], 2);
  EXPECT_EQ(document["predictedAfter"]["filesystem"]["usedPercent"], 60);
  EXPECT_THAT(ToText(*MakeSweepPage(document.dump())),
              testing::AllOf(testing::ContainsRegex("Before +After .estimate."),
                             testing::ContainsRegex("\nImages +3 +2\n")));
  auto older = document;
  older.erase("predictedAfter");
  EXPECT_THAT(ToText(*MakeSweepPage(older.dump())), testing::ContainsRegex("\nImages +3 +-\n"));
}

TEST(Space, ARunThatRemovesShowsWhatIsLeftAsMeasured) {
  EXPECT_THAT(SweepText(WithLayers(), {}), Not(HasSubstr("ESTIMATE")));
  EXPECT_TRUE(json::parse(SweepJson(WithLayers()))["predictedAfter"].is_null());
}

}  // namespace
}  // namespace imagesweep
