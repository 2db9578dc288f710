#include "agent/report/documents/json.h"

#include <gmock/gmock.h>
#include <yaml-cpp/yaml.h>

#include <nlohmann/json.hpp>

#include "agent/report/render/yaml.h"
#include "tests/support/report.h"

namespace imagesweep {
namespace {

using nlohmann::json;

TEST(Json, EveryDocumentNamesItsVersionAndKind) {
  const Report report = SampleReport();
  const std::pair<std::string, const char*> documents[] = {
      {ImagesJson(report), "ImageList"},
      {PlanJson(report), "SweepPlan"},
      {SweepJson(report), "SweepReport"},
      {ExplanationJson(report, ImagePos(0), {}, "nothing", std::nullopt), "ImageExplanation"}};
  for (const auto& [text, kind] : documents) {
    const json parsed = json::parse(text);
    EXPECT_EQ(parsed["apiVersion"], "imagesweep/v1alpha1");
    EXPECT_EQ(parsed["kind"], kind);
    EXPECT_EQ(parsed["node"], "node1");
    EXPECT_EQ(parsed["evidence"]["pods"]["count"], 2);
  }
}

TEST(Json, HasRemovalsAndFreedSpaceInASweepReport) {
  const json parsed = json::parse(SweepJson(SampleReport()));
  EXPECT_EQ(parsed["outcomes"][0]["outcome"], "Removed");
  EXPECT_EQ(parsed["outcomes"][0]["names"][0], "docker.io/library/app:1");
  EXPECT_EQ(parsed["measuredFreedBytes"], 1500);
  EXPECT_EQ(parsed["removalSeconds"], 0.3);
  EXPECT_EQ(parsed["images"][1]["usedBy"][0]["name"], "api");
  EXPECT_TRUE(parsed["refused"].is_null());
  EXPECT_EQ(parsed["policy"]["suspend"], false);
}

TEST(Json, AnImageNamesTheWorkloadsThatWantItUpToAHundred) {
  const json parsed = json::parse(ImagesJson(SampleReportWithWorkloads(2)));
  EXPECT_EQ(parsed["evidence"]["workloads"]["references"], 2);
  const json& wanted = parsed["images"][2];
  EXPECT_EQ(wanted["code"], "Workload");
  EXPECT_EQ(wanted["wantedBy"], json::parse(R"([
    {"kind": "Deployment", "namespace": "shop", "name": "api-0", "revision": 7, "container": "web"},
    {"kind": "StatefulSet", "namespace": "shop", "name": "api-1", "revision": null,
     "container": "web"}])"));
  EXPECT_EQ(wanted["wantedByCount"], 2);
  EXPECT_EQ(parsed["images"][0]["wantedBy"], json::array());

  const json many = json::parse(ImagesJson(SampleReportWithWorkloads(10'000)));
  EXPECT_EQ(many["images"][2]["wantedBy"].size(), 100U);
  EXPECT_EQ(many["images"][2]["wantedByCount"], 10'000);

  const json without = json::parse(ImagesJson(SampleReport()));
  EXPECT_TRUE(without["evidence"]["workloads"].is_null()) << "not looked at";
}

TEST(Json, ARefusedRunNamesTheSource) {
  Report report;
  report.refused = Refusal{"pods", {ErrorKind::kDenied, "403"}};
  const json parsed = json::parse(SweepJson(report));
  EXPECT_EQ(parsed["refused"]["source"], "pods");
  EXPECT_EQ(parsed["evidence"]["complete"], false);
  EXPECT_TRUE(parsed["measuredFreedBytes"].is_null());
}

// F02: bytes that are not UTF-8 must not make the document unreadable.
TEST(Json, HostileNamesStayInsideTheirString) {
  Report report = SampleReport();
  report.observation.images[ImagePos(0)].tags[0] = ImageName::Parse("\xff\"\n\x1b[31m{}");
  const json parsed = json::parse(PlanJson(report));
  EXPECT_EQ(parsed["images"].size(), 3U);
}

TEST(Json, YamlIsTheSameDocument) {
  const std::string text = SweepJson(SampleReport());
  const YAML::Node yaml = YAML::Load(JsonToYaml(text));
  EXPECT_EQ(yaml["kind"].as<std::string>(), "SweepReport");
  EXPECT_EQ(yaml["runtime"]["version"].as<std::string>(), "1.6.20");
  EXPECT_EQ(yaml["before"]["bytes"].as<int>(), 7000);
  EXPECT_TRUE(yaml["refused"].IsNull());
  EXPECT_EQ(yaml["images"][0]["names"][0].as<std::string>(), "docker.io/library/app:1");
}

}  // namespace
}  // namespace imagesweep
