#include "agent/report/documents/layer_analysis.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace imagesweep {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::uint64_t kGiB = std::uint64_t{1} << 30;

LayerAnalysis Sample() {
  LayerAnalysis all;
  all.node = "node1";
  all.observed_at = "2026-11-20T10:00:00Z";
  all.images = 22;
  all.layers = 66;
  all.apparent_bytes = 200 * kGiB;
  all.on_disk_bytes = 160 * kGiB;
  all.heaviest = {{"sha256:c0", "COPY . /app", 7 * kGiB, {"shop/api:v1"}},
                  {"sha256:c1", "", 2 * kGiB, {"shop/a:1", "shop/b:1", "shop/c:1", "shop/d:1"}}};
  all.instructions = {{"COPY . /app", 154 * kGiB, 22, {"shop/api:v1", "shop/web:v1"}}};
  all.look_alikes = {{"COPY . /app", 7 * kGiB, 22, {"shop/api", "shop/web"}, false, 147 * kGiB},
                     {"", 2 * kGiB, 2, {"shop/a", "shop/b"}, true, 2 * kGiB}};
  all.many_tags = {{"shop/api: stable, v1", 0, {"shop/api:v1"}}};
  all.same_layers = {{"shop/api:v1", 8192, {"shop/again:v1", "shop/api:v1"}}};
  all.patch_versions = {{"PYTHON_VERSION 3.11: 3.11.4, 3.11.9", kGiB, {"shop/x:1", "shop/y:1"}}};
  all.advice = {{"share-layer", 147 * kGiB, "COPY . /app", {"shop/api:v1", "shop/web:v1"}}};
  return all;
}

TEST(LayerAnalysisTest, ComputesReuseFromReferencedAndStoredBytes) {
  LayerAnalysis all = Sample();
  EXPECT_DOUBLE_EQ(all.ReuseRatio(), 1.25);
  EXPECT_DOUBLE_EQ(all.ReusePercent(), 20);
  EXPECT_EQ(all.SavableBytes(), 149 * kGiB);
  EXPECT_DOUBLE_EQ(LayerAnalysis().ReuseRatio(), 1);
  EXPECT_DOUBLE_EQ(LayerAnalysis().ReusePercent(), 0);
}

// S4
TEST(LayerAnalysisTest, ThePageNamesTheInstructionTheSavingAndTheRatio) {
  const std::string text = ToText(MakeLayerPage(Sample(), 10));
  for (const char* expected :
       {"Layers of node1", "1.25", "20.0%", "COPY . /app", "147GiB", "about the same size",
        "identical", "shop/api: stable, v1", "PYTHON_VERSION 3.11: 3.11.4, 3.11.9", "(not known)",
        "shop/a:1, shop/b:1, shop/c:1 and 1 more",
        "Save up to 147GiB: 2 images have separate layers from \"COPY . /app\""})
    EXPECT_THAT(text, HasSubstr(expected));
  EXPECT_THAT(text, Not(HasSubstr("--limit")));
}

TEST(LayerAnalysisTest, ALimitCutsRowsAndSaysSo) {
  const std::string text = ToText(MakeLayerPage(Sample(), 1));
  EXPECT_THAT(text, Not(HasSubstr("  identical")));
  EXPECT_THAT(text, HasSubstr("1 more; --limit shows them."));
  const auto json = nlohmann::json::parse(LayerAnalysisJson(Sample(), 1));
  EXPECT_EQ(json["heaviestLayers"].size(), 1u);
  EXPECT_EQ(json["totals"]["lookAlikeGroups"], 2);
  EXPECT_EQ(json["totals"]["savableBytes"], 149 * kGiB) << "totals are of all";
}

TEST(LayerAnalysisTest, EachAdviceSaysWhatToDo) {
  const std::pair<const char*, const char*> cases[] = {
      {"share-layer", "build one base image"},
      {"order-layers", "Move this step before"},
      {"heavy-layer", "to a base image"},
      {"many-tags", "Extra tags take no space"},
      {"same-layers", "Build one image"},
      {"patch-versions", "Move them to one version"},
      {"similar-layers", "No digest or diff ID shows"},
  };
  for (const auto& [kind, expected] : cases) {
    const std::string text = AdviceText({kind, kGiB, "COPY . /app", {"a", "b"}});
    EXPECT_THAT(text, HasSubstr(expected));
    EXPECT_THAT(text, HasSubstr("COPY . /app"));
  }
}

TEST(LayerAnalysisTest, NoSharedBaseIsAdvisedForLayersOfSimilarSizeOnly) {
  LayerAnalysis all;
  all.look_alikes = {{"RUN make", kGiB, 2, {"shop/a", "shop/b"}, false, kGiB, true},
                     {"bazel build ...", kGiB, 2, {"shop/a", "shop/b"}, false, kGiB}};
  all.advice = {{"similar-layers", kGiB, "bazel build ...", {"shop/a:1", "shop/b:1"}}};
  const std::string text = ToText(MakeLayerPage(all, 10));
  EXPECT_THAT(text, testing::ContainsRegex("RUN make .*different builds"));
  EXPECT_THAT(text, testing::ContainsRegex("bazel build .*about the same size"));
  EXPECT_THAT(text, Not(HasSubstr("base image")));
  const auto json = nlohmann::json::parse(LayerAnalysisJson(all, 10));
  EXPECT_EQ(json["lookAlikes"][0]["sameInstruction"], true);
  EXPECT_EQ(json["lookAlikes"][1]["sameInstruction"], false);
}

TEST(LayerAnalysisTest, TextFromImagesCannotBecomeMarkup) {
  LayerAnalysis all = Sample();
  all.heaviest.front().instruction = "RUN a | b\n\x1b[31m";
  const std::string markdown = ToMarkdown(MakeLayerPage(all, 10));
  EXPECT_THAT(markdown, HasSubstr("RUN a \\| b"));
  EXPECT_THAT(markdown, Not(HasSubstr("\x1b")));
}

TEST(LayerAnalysisTest, ALongInstructionIsCutBetweenCharacters) {
  LayerAnalysis all;
  all.heaviest = {{"sha256:c0", std::string(71, 'x') + "\u00fc\u00fc\u00fc", 1, {"a"}}};
  EXPECT_THAT(ToText(MakeLayerPage(all, 10)), HasSubstr(std::string(71, 'x') + "\u2026"));
  EXPECT_THAT(LayerAnalysisJson(all, 10), HasSubstr("\u00fc\u00fc\u00fc")) << "-o json has all";
}

TEST(LayerAnalysisTest, ANodeWithoutImagesHasNothingToAdvise) {
  EXPECT_THAT(ToText(MakeLayerPage({}, 10)), HasSubstr("None: no layer"));
  const auto json = nlohmann::json::parse(LayerAnalysisJson({}, 10));
  EXPECT_EQ(json["kind"], "LayerAnalysis");
  EXPECT_EQ(json["totals"]["reuseRatio"], 1.0);
}

TEST(LayerAnalysisTest, ReportsUnreadContent) {
  LayerAnalysis all;
  all.unread = {"Content.List k8s.io: broken"};
  all.without_history = 2;
  const std::string text = ToText(MakeLayerPage(all, 10));
  EXPECT_THAT(text, HasSubstr("Content.List k8s.io: broken"));
  EXPECT_THAT(text, HasSubstr("The instructions of the layers of 2 images are not known"));
}

TEST(LayerAnalysisTest, ImagesWithoutLayersAreNamed) {
  LayerAnalysis all;
  all.without_layers = {"app:v1", "app:v2"};
  EXPECT_THAT(ToText(MakeLayerPage(all, 10)),
              HasSubstr("leaves out 2 images without unpacked layers"));
  EXPECT_THAT(ToText(MakeLayerPage(all, 10)), HasSubstr("app:v1"));
  EXPECT_EQ(nlohmann::json::parse(LayerAnalysisJson(all, 10))["withoutLayers"][1], "app:v2");
}

}  // namespace
}  // namespace imagesweep
