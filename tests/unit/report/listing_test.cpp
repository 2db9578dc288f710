#include "agent/report/documents/listing.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "agent/report/documents/analysis.h"
#include "agent/report/documents/image_list.h"
#include "agent/report/documents/json.h"
#include "agent/report/documents/text.h"
#include "tests/support/report.h"

namespace imagesweep {
namespace {

using nlohmann::json;

// The same node as a runtime with another order lists it.
Report Turned(Report report) {
  Observation& seen = report.observation;
  const auto turn = [&](ImagePos& at) { at = ImagePos(seen.images.size() - 1 - at.value()); };
  std::ranges::reverse(seen.images);
  std::ranges::reverse(seen.ages);
  std::ranges::reverse(report.plan.decisions);
  for (Decision& decision : report.plan.decisions) turn(decision.image);
  std::ranges::for_each(report.plan.removals, turn);
  for (Outcome& outcome : report.outcomes) turn(outcome.image);
  for (Oversized& one : report.oversized) turn(one.image);
  std::ranges::reverse(report.oversized);
  const auto last_user = static_cast<std::uint32_t>(seen.references.size() - 1);
  std::ranges::reverse(seen.references);
  for (Decision& decision : report.plan.decisions) {
    for (auto& user : decision.used_by) user = last_user - user;
    std::ranges::sort(decision.used_by);
  }
  return report;
}

Report Sample() {
  Report report = SampleReport();
  report.observation.references.push_back(
      {"app:2", {}, {ImageUserKind::kContainer, "shop", "api", "web"}});
  report.observation.references.push_back(
      {"app:2", {}, {ImageUserKind::kPod, "crm", "db", "main"}});
  report.plan.decisions[ImagePos(0)].used_by = {0, 1, 2};
  report.oversized = {{ImagePos(0), 1}, {ImagePos(2), 1}};
  for (const char* tag : {"b:1", "a:1"}) {  // two that stay
    report.observation.images.push_back(Img(tag, {tag}));
    report.observation.ages.emplace_back();
    report.plan.decisions.emplace_back();
    report.plan.decisions.back().image = ImagePos(report.plan.decisions.size() - 1);
  }
  return report;
}

TEST(ImageList, HasTheseImagesInThisOrder) {
  const Report report = SampleReport();
  const auto some = ImagesAt(2, 1);
  const std::string text = ImagesText(report, some, {.with_header = false});
  EXPECT_EQ(std::ranges::count(text, '\n'), 2);
  EXPECT_LT(text.find("idle:1 "), text.find("app:1 "));
  const auto parsed = json::parse(ImagesJson(report, some));
  ASSERT_EQ(parsed["images"].size(), 2U);
  EXPECT_EQ(parsed["images"][0]["id"], report.observation.images[ImagePos(2)].id.text());
  EXPECT_EQ(parsed["images"][1]["id"], report.observation.images[ImagePos(1)].id.text());
}

TEST(ImageList, HasNoTableButADocumentWithoutImages) {
  const Report report = SampleReport();
  EXPECT_EQ(ImagesText(report, {}, {.with_header = false}), "");
  EXPECT_THAT(ImagesText(report, {}, TextOptions{}), testing::Not(testing::HasSubstr("NAME")));
  EXPECT_EQ(json::parse(ImagesJson(report, {}))["images"], json::array());
}

TEST(Listing, PrintsTheSameForEachOrderOfTheRuntime) {
  const Report one = Sample(), other = Turned(Sample());
  EXPECT_EQ(ImagesText(one, {}), ImagesText(other, {}));
  EXPECT_EQ(PlanText(one, {}), PlanText(other, {}));
  EXPECT_EQ(SweepText(one, {}), SweepText(other, {}));
  EXPECT_EQ(ImagesJson(one), ImagesJson(other));
  EXPECT_EQ(PlanJson(one), PlanJson(other));
  EXPECT_EQ(SweepJson(one), SweepJson(other));
  EXPECT_EQ(ExplanationText(one, ImagePos(0), {}, ""), ExplanationText(other, ImagePos(4), {}, ""));
  Analysis analysis;
  analysis.required = ImagesAt(0, 3, 4);
  Analysis turned;
  turned.required = ImagesAt(4, 1, 0);
  EXPECT_EQ(ToText(MakeAnalysisPage(one, analysis)), ToText(MakeAnalysisPage(other, turned)));
  EXPECT_EQ(AnalysisJson(one, analysis), AnalysisJson(other, turned));
}

TEST(Listing, ImagesAreInTheOrderOfTheirNames) {
  std::vector<std::string> names;
  const json document = json::parse(SweepJson(Sample()));
  for (const json& image : document["images"]) names.push_back(image["names"][0]);
  EXPECT_THAT(names, testing::ElementsAre("docker.io/library/a:1", "docker.io/library/app:1",
                                          "docker.io/library/app:2", "docker.io/library/b:1",
                                          "docker.io/library/idle:1"));
}

TEST(Listing, APodCountsOnceHoweverManyContainersItHas) {
  const Report report = Sample();
  const auto pods = PodsOf(report.observation, report.plan.decisions[ImagePos(0)]);
  ASSERT_EQ(pods.size(), 2U);
  EXPECT_EQ(Describe(pods[0]), "crm/db/main");
  EXPECT_EQ(Describe(pods[1]), "shop/api/web");
  EXPECT_THAT(ImagesText(report, {}), testing::HasSubstr("  crm/db/main+1  "));
}

}  // namespace
}  // namespace imagesweep
