#include "agent/report/documents/compare.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "agent/report/documents/df.h"
#include "agent/report/documents/json.h"
#include "agent/report/documents/layer_analysis.h"
#include "tests/support/report.h"

namespace imagesweep {
namespace {

using nlohmann::json;
using testing::HasSubstr;

std::string Layers(std::uint64_t apparent, std::uint64_t on_disk) {
  LayerAnalysis all;
  all.node = "node1";
  all.images = 22;
  all.apparent_bytes = apparent;
  all.on_disk_bytes = on_disk;
  return LayerAnalysisJson(all, 10);
}

json Compared(const std::string& before, const std::string& after) {
  const auto comparison = CompareDocuments({"a.json", before}, {"b.json", after});
  EXPECT_TRUE(comparison) << comparison.error().what;
  json by_name;
  const json document = json::parse(ComparisonJson(*comparison));
  for (const auto& one : document["measures"]) by_name[one["name"].get<std::string>()] = one;
  return by_name;
}

// S4
TEST(CompareTest, TwoAnalysesOfLayersShowTheBetterRatio) {
  const auto measures = Compared(Layers(1000, 1000), Layers(1000, 200));
  EXPECT_EQ(measures["On disk, each layer once"]["change"], -800);
  EXPECT_EQ(measures["On disk, each layer once"]["changePercent"], -80.0);
  EXPECT_EQ(measures["Reuse ratio"]["before"], 1.0);
  EXPECT_EQ(measures["Reuse ratio"]["after"], 5.0);
  EXPECT_NEAR(measures["Layer reuse"]["after"].get<double>(), 80, 1e-9);
  EXPECT_TRUE(measures["Groups of look-alike layers"]["changePercent"].is_null())
      << "nothing is no measure of something";
}

TEST(CompareTest, TwoReportsAreComparedAsTheirRunsLeftTheNode) {
  Report before = SampleReport(), after = SampleReport();
  after.after->images = 1;
  after.layers.emplace().removed.bytes = 77;
  const auto measures = Compared(SweepJson(before), SweepJson(after));
  EXPECT_EQ(measures["Images after the run"]["before"], 2);
  EXPECT_EQ(measures["Images after the run"]["change"], -1);
  EXPECT_EQ(measures["File system used"]["before"], 7500);
  EXPECT_EQ(measures["Removed"]["after"], 1);
  EXPECT_TRUE(measures["Freed, predicted"]["before"].is_null());
  EXPECT_TRUE(measures["Freed, predicted"]["change"].is_null());
  EXPECT_EQ(measures["Freed, predicted"]["after"], 77);
}

TEST(CompareTest, TwoViewsOfADiskAreComparedAccountByAccount) {
  DiskUse before, after;
  before.accounts = {{"idle", {400, 4, 1, 1}}, {"dead", {10, 1, 0, 1}}};
  after.accounts = {{"idle", {100, 1, 1, 1}}};
  const auto measures = Compared(DiskUseJson(before), DiskUseJson(after));
  EXPECT_EQ(measures["idle"]["changePercent"], -75.0);
  EXPECT_EQ(measures["dead"]["before"], 10);
  EXPECT_TRUE(measures["dead"]["after"].is_null());
  EXPECT_EQ(measures["all accounts"]["after"], 100);
}

TEST(CompareTest, ThePageHasAbsoluteAndRelativeChanges) {
  const auto comparison = CompareDocuments({"a.json", Layers(10 << 20, 10 << 20)},
                                           {"b.json", Layers(20 << 20, 5 << 20)});
  ASSERT_TRUE(comparison) << comparison.error().what;
  const std::string text = ToText(MakeComparisonPage(*comparison));
  for (const char* expected : {"Before: a.json, node node1", "+10.0MiB", "+100.0%", "-5.0MiB",
                               "-50.0%", "+75.0 points", "1.00", "4.00"})
    EXPECT_THAT(text, HasSubstr(expected)) << text;
}

TEST(CompareTest, NamesTheFileThatCannotBeCompared) {
  DiskUse bounds;
  bounds.bounds_only = "cri-o 1.30.4 does not tell what a layer takes";
  const std::string layers = Layers(1, 1), disk = DiskUseJson({});
  const struct {
    const char* why;
    std::string before, after, complaint;
  } cases[] = {
      {"no JSON", layers, "kind: LayerAnalysis\n", "b.json: is not JSON"},
      {"cut", layers.substr(0, 50), layers, "a.json: is not JSON"},
      {"empty", "", layers, "a.json: is not JSON"},
      {"a list", "[]", layers, "a.json: is not a document of imagesweep"},
      {"others' JSON", R"({"kind":"DiskUse","apiVersion":"v1"})", disk, "apiVersion \"v1\""},
      {"another kind", ImagesJson(SampleReport()), layers,
       "a.json: is of kind ImageList, which cannot be compared"},
      {"two kinds", layers, disk, "a.json is of kind LayerAnalysis and b.json of kind DiskUse"},
      {"bounds", disk, DiskUseJson(bounds), "one has exact sizes and the other has upper bounds"},
      {"no figures", R"({"kind":"LayerAnalysis","apiVersion":"imagesweep/v1alpha1"})",
       R"({"kind":"LayerAnalysis","apiVersion":"imagesweep/v1alpha1","totals":[]})",
       "have no figures"},
  };
  for (const auto& one : cases) {
    const auto comparison = CompareDocuments({"a.json", one.before}, {"b.json", one.after});
    ASSERT_FALSE(comparison) << one.why;
    EXPECT_EQ(comparison.error().kind, ErrorKind::kInvalid) << one.why;
    EXPECT_THAT(comparison.error().what, HasSubstr(one.complaint)) << one.why;
  }
}

}  // namespace
}  // namespace imagesweep
