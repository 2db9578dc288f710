#include "agent/report/documents/advice.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "agent/model/verdict_codes.h"
#include "agent/report/documents/analysis.h"
#include "agent/report/documents/history.h"
#include "agent/report/documents/json.h"
#include "agent/report/documents/sweep_page.h"
#include "agent/report/documents/text.h"
#include "tests/support/report.h"

namespace imagesweep {
namespace {

using testing::Contains;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

TEST(Advice, NamesTheSettingThatRemovesImagesAfterADryRun) {
  Report report = SampleReport();
  report.dry_run = true;
  report.effective_policy.dry_run = true;
  EXPECT_THAT(Advice(report),
              Contains(HasSubstr("To remove 1 image (2.0KiB), set dryRun: false in the policy")));
  report.effective_policy.dry_run = false;
  EXPECT_THAT(Advice(report),
              Contains(HasSubstr("To remove 1 image (2.0KiB), run `imagesweep sweep "
                                 "--dry-run=false`")));
}

TEST(Advice, SpeaksOfOneImageAsOfOne) {
  const struct {
    Code code;
    const char *one, *two;
  } rows[] = {
      {Code::kLimit, "1 image (2.0KiB) waits for later", "2 images (5.9KiB) wait for later"},
      {Code::kWindow, "1 image (2.0KiB) waits for the", "2 images (5.9KiB) wait for the"},
      {Code::kLocalOnly, "1 image (2.0KiB) stays because", "2 images (5.9KiB) stay because"},
      {Code::kTooYoung, "1 image (2.0KiB) is younger", "2 images (5.9KiB) are younger"},
  };
  for (const auto& [code, one, two] : rows) {
    Report report = SampleReport();
    report.plan.decisions[ImagePos(1)].code = code;
    EXPECT_THAT(Advice(report), Contains(HasSubstr(one)));
    report.plan.decisions[ImagePos(2)].code = code;
    EXPECT_THAT(Advice(report), Contains(HasSubstr(two)));
  }
}

TEST(Advice, GivesTheAdviceOfEachCode) {
  for (const VerdictCode& row : VerdictCodes()) {
    if (row.advice.empty()) continue;
    Report report = SampleReport();
    report.plan.decisions[ImagePos(1)].code = row.code;
    EXPECT_THAT(Advice(report), Contains(HasSubstr(std::string(row.advice)))) << row.name;
  }
}

TEST(Advice, LimitsTheAdviceOnRequiredImagesToTheirUse) {
  Analysis analysis;
  analysis.required = ImagesAt(0);
  EXPECT_THAT(ToText(MakeAnalysisPage(SampleReport(), analysis)),
              HasSubstr("None of them is removed while it is needed."));
}

TEST(Difference, SaysWhatItComparesWith) {
  Report report = SampleReport();
  EXPECT_THAT(ToText(MakeDifferencePage(report, report.plan, "new.yaml", {})),
              HasSubstr("Compared with the policy in force, file/policy.yaml."));
  report.policy = {"defaults", ""};
  EXPECT_THAT(ToText(MakeDifferencePage(report, report.plan, "new.yaml", {})),
              HasSubstr("Compared with the defaults, because no policy in force is given"));
}

TEST(Difference, SaysWhenNothingDiffers) {
  const Report report = SampleReport();
  EXPECT_THAT(ToText(MakeDifferencePage(report, report.plan, "new.yaml", {})),
              HasSubstr("No changes: every image has the same verdict."));
  const Decision& now = report.plan.decisions[ImagePos(0)];
  const std::vector<VerdictChange> changes = {{now.image, now, now}};
  EXPECT_THAT(ToText(MakeDifferencePage(report, report.plan, "new.yaml", changes)),
              Not(HasSubstr("No changes")));
  EXPECT_THAT(DifferenceJson(report, report.plan, "new.yaml", changes),
              HasSubstr(report.observation.images[ImagePos(0)].id.text()));
}

// Versions that could drop single tags wrote such reports, which are still shown.
TEST(Report, ShowsAReportOfAnOlderVersionThatDroppedTags) {
  auto document = nlohmann::ordered_json::parse(SweepJson(SampleReport()));
  const std::string page = ToText(*MakeSweepPage(document.dump()));
  document["untags"] = {{{"tag", "app:build-7"},
                         {"id", "sha256:1"},
                         {"rule", "builds"},
                         {"outcome", "Removed"},
                         {"error", ""}}};
  const auto older = MakeSweepPage(document.dump());
  ASSERT_TRUE(older);
  EXPECT_EQ(ToText(*older), page);
}

TEST(HistoryText, MarksWhatADryRunOnlyWouldHaveRemovedAndExplainsJoinedRuns) {
  RunEntry run;
  run.run = "1";
  run.removed = 4;
  run.dry_run = false;
  EXPECT_THAT(HistoryText(std::vector{run}, {}), Not(HasSubstr("would")));
  EXPECT_THAT(HistoryText(std::vector{run}, {}), Not(HasSubstr("TIMES: ")));
  run.dry_run = true;
  run.times = 3;
  EXPECT_THAT(HistoryText(std::vector{run}, {}), HasSubstr("  4 (would)  "));
  EXPECT_THAT(HistoryText(std::vector{run}, {}), HasSubstr("TIMES: number of consecutive runs"));
}

TEST(Reclaimable, IsOneWordWithOneMeaningInSweepAndReport) {
  EXPECT_THAT(SweepText(SampleReport(), {}),
              testing::AllOf(HasSubstr("\nReclaimable "), HasSubstr(kReclaimableMeans)));
  EXPECT_THAT(ToText(*MakeSweepPage(SweepJson(SampleReport()))),
              testing::AllOf(HasSubstr("\nReclaimable "), HasSubstr(kReclaimableMeans)));
}

TEST(Reclaimable, ExcludesNeededAndKeptImages) {
  for (const Code code : {Code::kInUse, Code::kPinned, Code::kSandbox, Code::kSelf, Code::kKeepRule,
                          Code::kLocalOnly, Code::kRetained, Code::kUnknown}) {
    Decision decision;
    decision.code = code;
    EXPECT_FALSE(IsReclaimable(decision)) << ToString(code);
  }
  for (const Code code : {Code::kTooYoung, Code::kIdle}) {
    Decision decision;
    decision.code = code;
    EXPECT_TRUE(IsReclaimable(decision)) << ToString(code);
  }
  for (const Verdict verdict : {Verdict::kRemove, Verdict::kDefer}) {
    Decision decision;
    decision.verdict = verdict;
    decision.code = Code::kLimit;
    EXPECT_TRUE(IsReclaimable(decision));
  }
}

}  // namespace
}  // namespace imagesweep
