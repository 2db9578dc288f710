#include "agent/report/documents/held_back.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "agent/model/verdict_codes.h"
#include "agent/report/documents/free_space.h"
#include "agent/report/documents/json.h"
#include "agent/report/documents/text.h"
#include "tests/support/report.h"

namespace imagesweep {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// One image is too young, one cannot be pulled again, and none is removed.
Report NothingGoes() {
  Report report = SampleReport();
  report.plan.decisions[ImagePos(1)].code = Code::kTooYoung;
  report.plan.decisions[ImagePos(1)].verdict = Verdict::kKeep;
  report.plan.decisions[ImagePos(2)].code = Code::kLocalOnly;
  report.plan.removals.clear();
  report.outcomes.clear();
  report.after.reset();
  return report;
}

TEST(HeldBack, ShowsEachGroupWithItsSizeAndTheSettingThatReleasesIt) {
  const auto groups = FindHeldBack(NothingGoes());
  ASSERT_EQ(groups.size(), 2U);
  EXPECT_EQ(groups[0].code, Code::kTooYoung);
  EXPECT_EQ(groups[0].images, 1U);
  EXPECT_EQ(groups[0].bytes, 2000U);
  EXPECT_THAT(groups[0].release, HasSubstr("--minimum-age=0s"));
  EXPECT_EQ(groups[1].code, Code::kLocalOnly);
  EXPECT_THAT(groups[1].release, HasSubstr("keep.localOnly: Never"));
  EXPECT_THAT(FindHeldBack(SampleReport()), IsEmpty());
}

TEST(HeldBack, ListsEachCodeThatHasAnInstruction) {
  for (const VerdictCode& row : VerdictCodes()) {
    Report report = NothingGoes();
    for (Decision& decision : report.plan.decisions) {
      decision.code = row.code;
      decision.verdict = row.verdict;
    }
    EXPECT_EQ(FindHeldBack(report).size(), row.release.empty() ? 0U : 1U) << row.name;
  }
}

TEST(HeldBack, IsShownWhenTooLittleIsRemoved) {
  const Report report = NothingGoes();
  for (const std::string& text : {PlanText(report, {}), SweepText(report, {})})
    EXPECT_THAT(text,
                HasSubstr("Too young: 1 image, 2.0KiB. To remove them, set --minimum-age=0s"));
  EXPECT_THAT(PlanText(SampleReport(), {}), Not(HasSubstr("To remove them")));
  for (const auto& json : {PlanJson(report), SweepJson(report)})
    EXPECT_EQ(nlohmann::json::parse(json)["heldBack"][1]["sizeBytes"], 4000);
}

TEST(HeldBack, SaysWhichGroupWouldBeEnoughForTheSpaceThatIsMissing) {
  Report report = NothingGoes();
  report.plan.free_space_target = report.observation.disk->available_bytes + 3000;
  EXPECT_THAT(FreeSpaceText(report), HasSubstr("Too young: 1 image, 2.0KiB. To remove"));
  EXPECT_THAT(FreeSpaceText(report),
              HasSubstr("Cannot be pulled again: 1 image, 3.9KiB, enough by itself. To remove"));
  report.plan.free_space_target = 1;
  EXPECT_THAT(FreeSpaceText(report), Not(HasSubstr("To remove them")));
}

}  // namespace
}  // namespace imagesweep
