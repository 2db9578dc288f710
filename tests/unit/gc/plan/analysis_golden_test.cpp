#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "agent/base/quantity.h"
#include "agent/gc/plan/planner.h"
#include "agent/gc/plan/what_if.h"
#include "agent/policy/parse.h"
#include "agent/report/documents/analysis.h"
#include "tests/support/observation.h"

// A host with many images of its own: eleven of them run, others are old. A clean-up that removes
// too much would break the host.

namespace imagesweep {
namespace {

using std::chrono::hours;
using testing::HasSubstr;
using testing::UnorderedElementsAre;
using Names = std::set<std::string>;

constexpr std::uint64_t kMB = 1'000'000;
constexpr const char* kOrchestrator = "crypto-intelligence-v2-crypto-v2-orchestrator:latest";
constexpr const char* kMarketData = "crypto-assistant-market-data:latest";

const std::string kDocument = "apiVersion: imagesweep/v1alpha1\nkind: SweepPolicy\n";

// As in `analyze`, without overrides.
PolicyWithProfile WithProfile(const std::string& document) {
  return [document](Profile profile) { return ParsePolicy(document, profile); };
}

// Built on this host, so it cannot be pulled again.
Image Local(const std::string& tag, std::uint64_t megabytes) {
  Image image = Img(tag, {std::string_view(tag)}, megabytes * kMB);
  MakeLocal(image);
  return image;
}

struct RequiredImages : testing::Test {
  RequiredImages() {
    Running(Local(kOrchestrator, 708), {"crypto-v2-orchestrator"});
    Running(Local("crypto-intelligence-v2-cascade-detector:latest", 711), {"crypto-v2-cascade"});
    Running(Local("crypto-intelligence-v2-aggressor-analyzer:latest", 707),
            {"crypto-v2-aggressor"});
    Running(Local("crypto-intelligence-v2-enhanced-alerts:latest", 707), {"crypto-v2-alerts"});
    Running(Local("crypto-intelligence-v2-oi-monitor:latest", 711), {"crypto-v2-oi"});
    Running(Local("crypto-intelligence-v2-liquidation-collector:latest", 707),
            {"crypto-v2-liquidations"});
    Running(Local("crypto-intelligence-v2-volume-analyzer:latest", 707), {"crypto-v2-volume"});
    Running(Local("crypto-assistant-telegram-bot:latest", 371), {"crypto-telegram-bot"});
    // Its pod is bound to the node, and its container is not created yet.
    seen.Add(Local(kMarketData, 425));
    seen.Use(kMarketData, {ImageUserKind::kPod, "crypto", "crypto-market-data", "main"});
    Running(Img("redis", {"redis:alpine"}, 99 * kMB), {"redis-v2", "redis-coordinator"});
    Running(Img("python", {"python:3.11-slim"}, 200 * kMB),
            {"python-1", "python-2", "python-3", "python-4"});

    Left(Local("crypto-v2-scheduler:latest", 1190), hours(24 * 30));
    Left(Local("crypto-intelligence-v2-v2-telegram-bot:latest", 725), hours(30));
    Left(Local("crypto-intelligence-v2-trade-collector-1:latest", 700), hours(24 * 10));
    Left(Local("crypto-intelligence-v2-trade-collector-2:latest", 700), hours(2));
    Left(Img("m1", {"crypto-assistant-monitoring-1:latest"}, 600 * kMB), hours(24 * 8));
    Left(Img("m2", {"crypto-assistant-monitoring-2:latest"}, 600 * kMB), hours(24 * 8));
  }
  void Running(const Image& image, std::initializer_list<const char*> containers) {
    seen.Add(image);
    for (const char* name : containers)
      seen.Use(image.tags[0].text(), {ImageUserKind::kContainer, "", "", name});
  }
  void Left(const Image& image, hours unused_for) { seen.Add(image, unused_for); }

  const std::string& Name(ImagePos at) { return seen.seen().images[at].display_name(); }
  Names NamesOf(const std::vector<ImagePos>& images) {
    Names names;
    for (const auto at : images) names.insert(std::string(ImageName::Parse(Name(at)).text()));
    return names;
  }
  static const CleanupOption& Option(const Analysis& analysis, const std::string& name) {
    return *std::ranges::find(analysis.options, name, &CleanupOption::name);
  }
  // The rows of the table with this title on the page, without its header.
  std::vector<std::vector<std::string>> Table(const std::string& title) {
    Report report;
    report.effective_policy = policy;
    report.observation = seen.seen();
    report.plan = MakePlan(policy, seen.seen());
    const Page page = MakeAnalysisPage(report, Look());
    const auto section = std::ranges::find(page.sections, title, &Page::Section::title);
    return std::get<Page::Grid>(section->blocks.at(0)).rows;
  }

  Analysis Look() { return Analyze(policy, WithProfile(kDocument), seen.seen()); }

  ObservationBuilder seen;
  Policy policy = Policy::Default();
};

Names Normalised(std::initializer_list<const char*> names) {
  Names out;
  for (const char* name : names) out.insert(ImageName::Parse(name).text());
  return out;
}

TEST_F(RequiredImages, AreTheElevenThatSomethingNeedsWithTheirTotal) {
  const Analysis analysis = Look();
  EXPECT_EQ(analysis.required, ImagesAt(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10));
  EXPECT_EQ(analysis.required_total.images, 11U);
  EXPECT_EQ(analysis.required_total.bytes, 6053 * kMB);
}

TEST_F(RequiredImages, ShowTheUsersOfEachImage) {
  const auto rows = Table("Required");
  ASSERT_EQ(rows.size(), 11U);
  EXPECT_TRUE(std::ranges::is_sorted(rows)) << "by name";
  const auto row = [&](const std::string& name) {
    return *std::ranges::find_if(
        rows, [&](const auto& its) { return its[0].find(name) != std::string::npos; });
  };
  EXPECT_THAT(row("orchestrator"),
              testing::ElementsAre(HasSubstr("orchestrator"), HumanBytes(708 * kMB),
                                   HasSubstr("crypto-v2-orchestrator")));
  EXPECT_THAT(row("market-data")[2], HasSubstr("crypto/crypto-market-data"));
  EXPECT_THAT(row("redis")[2],
              testing::AllOf(HasSubstr("redis-v2"), HasSubstr("redis-coordinator")));
  EXPECT_THAT(row("python")[2], testing::AllOf(HasSubstr("python-1"), HasSubstr("and 1 more")));
}

TEST_F(RequiredImages, ListsIdleImagesByCertaintyAndSize) {
  const Analysis analysis = Look();
  EXPECT_EQ(analysis.idle_total.images, 6U);
  EXPECT_EQ(analysis.idle_total.bytes, 4515 * kMB);
  std::vector<std::pair<std::string, Confidence>> idle;
  for (const IdleImage& one : analysis.idle) idle.emplace_back(Name(one.image), one.confidence);
  const std::string library = "docker.io/library/";
  using C = Confidence;
  EXPECT_EQ(idle, (std::vector<std::pair<std::string, Confidence>>{
                      {library + "crypto-v2-scheduler:latest", C::kHigh},
                      {library + "crypto-intelligence-v2-trade-collector-1:latest", C::kHigh},
                      {library + "crypto-assistant-monitoring-1:latest", C::kHigh},
                      {library + "crypto-assistant-monitoring-2:latest", C::kHigh},
                      {library + "crypto-intelligence-v2-v2-telegram-bot:latest", C::kMedium},
                      {library + "crypto-intelligence-v2-trade-collector-2:latest", C::kLow}}));
}

TEST_F(RequiredImages, MarksRemovingEverythingUnusedAsHighRisk) {
  const CleanupOption prune = Option(Look(), "everything unused");
  const auto local = Normalised({"crypto-v2-scheduler", "crypto-intelligence-v2-v2-telegram-bot",
                                 "crypto-intelligence-v2-trade-collector-1",
                                 "crypto-intelligence-v2-trade-collector-2", kMarketData});
  EXPECT_EQ(prune.goes.images, 7U);
  EXPECT_EQ(prune.goes.bytes, (4515 + 425) * kMB);
  EXPECT_EQ(NamesOf(prune.lost), local);
  EXPECT_EQ(NamesOf(prune.breaks), local) << "a pod needs one of them, and the policy keeps all";
  EXPECT_EQ(prune.to_pull_again.bytes, 1200 * kMB);
  EXPECT_FALSE(prune.recommended);
  const auto rows = Table("Options");
  ASSERT_EQ(rows.size(), 5U);
  EXPECT_THAT(rows[4].back(),
              testing::StartsWith("HIGH: removes images that are needed or kept: "));
  EXPECT_THAT(rows[4].back(), HasSubstr("no evidence proves that these can be pulled again: "));
}

TEST_F(RequiredImages, TheRecommendedOptionLosesNothing) {
  const Analysis analysis = Look();
  std::vector<std::string> names;
  for (const CleanupOption& option : analysis.options) names.push_back(option.name);
  EXPECT_EQ(names, (std::vector<std::string>{"in force", "Conservative", "Balanced", "Aggressive",
                                             "everything unused"}));
  EXPECT_EQ(std::ranges::count(analysis.options, true, &CleanupOption::recommended), 1);
  const CleanupOption& balanced = Option(analysis, "Balanced");
  EXPECT_TRUE(balanced.recommended);
  EXPECT_EQ(balanced.goes.images, 0U);
  EXPECT_EQ(Option(analysis, "Conservative").goes.images, 0U);
  const auto rows = Table("Options");
  EXPECT_EQ(rows[2].front(), "Balanced (recommended)");
  EXPECT_EQ(rows[2].back(), "none: no image is removed");
}

TEST_F(RequiredImages, RemovesOnlyPullableImagesInTheAggressiveProfile) {
  const CleanupOption aggressive = Option(Look(), "Aggressive");
  EXPECT_EQ(aggressive.goes.images, 2U);
  EXPECT_EQ(aggressive.to_pull_again.bytes, 1200 * kMB);
  EXPECT_TRUE(aggressive.lost.empty());
  EXPECT_TRUE(aggressive.breaks.empty());
  EXPECT_EQ(Table("Options")[3].back(), "low: all removed images can be pulled again");
}

// There is a newer build of the same name, so the profile no longer keeps the older one.
TEST_F(RequiredImages, AnOlderBuildThatTheAggressiveProfileGivesUpIsMarkedLost) {
  Left(Local("crypto-v2-scheduler:v1", 1100), hours(24 * 30));
  Left(Local("crypto-v2-scheduler:v2", 1100), hours(24 * 30));
  const Analysis analysis = Look();
  EXPECT_EQ(NamesOf(Option(analysis, "Aggressive").lost), Normalised({"crypto-v2-scheduler:v1"}));
  EXPECT_TRUE(Option(analysis, "Balanced").lost.empty());
  EXPECT_THAT(Table("Options")[3].back(),
              testing::StartsWith("HIGH: no evidence proves that these can be pulled again: "));
}

// Removed by its name, and no running image is removed.
TEST_F(RequiredImages, ASelectiveCleanupRemovesTheNamedLeftoversAlone) {
  policy = *ParsePolicy(R"(apiVersion: imagesweep/v1alpha1
kind: SweepPolicy
maximumAge: 0s
keep: {localOnly: Never}
rules:
- name: leftovers
  action: Remove
  selector: {images: ["*scheduler*", "*trade-collector*", "*monitoring*", "*orchestrator*"]}
)");
  const Plan plan = MakePlan(policy, seen.seen());
  EXPECT_EQ(NamesOf(plan.removals),
            Normalised({"crypto-v2-scheduler", "crypto-intelligence-v2-trade-collector-1",
                        "crypto-intelligence-v2-trade-collector-2", "crypto-assistant-monitoring-1",
                        "crypto-assistant-monitoring-2"}));
  EXPECT_EQ(plan.decisions[ImagePos(0)].code, Code::kInUse) << "named by the rule, and it runs";
  std::uint64_t bytes = 0;
  for (const auto at : plan.removals) bytes += seen.seen().images[at].size_bytes;
  EXPECT_EQ(bytes, 3790 * kMB);
}

// The administrator's setting for local images holds in every profile. A profile that would lose
// some of them is not advised.
TEST(Analysis, RecommendsTheOptionThatLosesNoImage) {
  const std::string document = kDocument + "keep: {localOnly: Never}\n";
  ObservationBuilder seen;
  Image image = Img("local", {"local:1"});
  MakeLocal(image);
  seen.Add(image, std::chrono::hours(1000));
  const Analysis analysis = Analyze(*ParsePolicy(document), WithProfile(document), seen.seen());
  EXPECT_EQ(analysis.options.at(2).lost.size(), 1U) << "Balanced";
  EXPECT_FALSE(analysis.options.at(2).recommended);
  EXPECT_TRUE(analysis.options.at(1).recommended) << "Conservative";
}

// A setting of the document stays in every profile, as if the profile contained it.
TEST(Analysis, EvaluatesAProfileAsIfTheDocumentNamedIt) {
  ObservationBuilder seen;
  seen.Add(Img("old", {"old:1"}), hours(30));
  const auto goes = [&](const std::string& written) {
    const std::string document = kDocument + written;
    std::vector<std::size_t> counts;
    for (const CleanupOption& option :
         Analyze(*ParsePolicy(document), WithProfile(document), seen.seen()).options)
      counts.push_back(option.goes.images);
    return counts;
  };
  using Counts = std::vector<std::size_t>;  // in force, Conservative, Balanced, Aggressive, prune
  EXPECT_EQ(goes(""), (Counts{0, 0, 0, 1, 1}));
  EXPECT_EQ(goes("maximumAge: 48h\n"), (Counts{0, 0, 0, 0, 1}));
  EXPECT_EQ(goes("maximumAge: 25h\n"), (Counts{1, 1, 1, 1, 1}));
}

TEST(Analysis, MarksAProfileThatConflictsWithTheDocumentAsImpossible) {
  const std::string document = kDocument + "minimumAge: 48h\n";  // Aggressive has maximumAge 24h
  const Analysis analysis = Analyze(*ParsePolicy(document), WithProfile(document), Observation());
  EXPECT_THAT(analysis.options.at(3).impossible, HasSubstr("minimumAge"));
  EXPECT_EQ(analysis.options.at(2).impossible, "");
  EXPECT_THAT(ToText(MakeAnalysisPage(Report(), analysis)), HasSubstr("not possible: "));
}

}  // namespace
}  // namespace imagesweep
