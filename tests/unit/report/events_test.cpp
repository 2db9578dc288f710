#include "agent/telemetry/events.h"

#include <gmock/gmock.h>

#include "tests/support/report.h"

namespace imagesweep {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// No node is short of space.
Report RoomyReport() {
  Report report = SampleReport();
  report.before->disk->available_bytes = report.after->disk->available_bytes = 9'000;
  return report;
}

std::vector<std::string> Reasons(const Report& report) {
  std::vector<std::string> reasons;
  for (const NodeEvent& event : EventsOf(report))
    reasons.push_back((event.warning ? "Warning " : "Normal ") + event.reason);
  return reasons;
}

TEST(Events, WriteOnePerRunForAnyNumberOfImages) {
  Report report = RoomyReport();
  report.plan.decisions[ImagePos(2)].code = Code::kSpace;
  report.outcomes.push_back({ImagePos(2), OutcomeKind::kRemoved, {}});
  ASSERT_THAT(Reasons(report), ElementsAre("Normal ImagesRemoved"));
  EXPECT_EQ(EventsOf(report)[0].note, "Removed 2 images, about 5.9KiB (1 age, 1 space)");
}

TEST(Events, ADryRunSaysWhatItWouldDoAndOnlyWhenThatChanges) {
  Report report = RoomyReport();
  report.dry_run = true;
  report.outcomes[0].kind = OutcomeKind::kWouldRemove;
  const auto events = EventsOf(report);
  ASSERT_THAT(Reasons(report), ElementsAre("Normal ImagesWouldBeRemoved"));
  EXPECT_TRUE(events[0].only_when_changed);
  EXPECT_EQ(events[0].note, "Dry run: would remove 1 image, about 2.0KiB (1 age)");
}

TEST(Events, FailuresAreAWarningWithTheFirstOfThem) {
  Report report = RoomyReport();
  report.outcomes = {{ImagePos(1), OutcomeKind::kFailed, "deadline exceeded"},
                     {ImagePos(2), OutcomeKind::kStillListed, "still listed"}};
  ASSERT_THAT(Reasons(report), ElementsAre("Warning ImageRemovalFailed"));
  EXPECT_THAT(EventsOf(report)[0].note, HasSubstr("2 images, the first is "));
  EXPECT_THAT(EventsOf(report)[0].note, HasSubstr("deadline exceeded"));
}

TEST(Events, WriteNoneForARunWithoutChangesOrAnAbortedRun) {
  Report report = RoomyReport();
  report.outcomes.clear();
  EXPECT_THAT(Reasons(report), IsEmpty());
  Report refused;
  refused.refused = Refusal{"pods", {ErrorKind::kDenied, "403"}};
  EXPECT_THAT(Reasons(refused), IsEmpty());
}

TEST(Events, SaysWhenThePressureStays) {
  const struct {
    std::uint64_t before, after;  // bytes available of 10,000
    bool dry_run, told;
  } cases[] = {{1'000, 2'000, false, true},   // 90 % to 80 %: above the low threshold of 65 %
               {1'000, 3'500, false, false},  // down to the low threshold
               {4'000, 3'400, false, false},  // never above the high threshold
               {1'000, 1'000, true, false}};  // a dry run frees nothing
  for (const auto& [before, after, dry_run, told] : cases) {
    Report report = SampleReport();
    report.outcomes.clear();
    report.dry_run = dry_run;
    report.before->disk->capacity_bytes = report.after->disk->capacity_bytes = 10'000;
    report.before->disk->available_bytes = before;
    report.after->disk->available_bytes = after;
    EXPECT_EQ(EventsOf(report).size(), told ? 1U : 0U) << before << " " << after;
    if (told) {
      EXPECT_EQ(EventsOf(report)[0].reason, "InsufficientSpaceReclaimed");
    }
  }
}

TEST(Events, ReportTheFirstErrorAndTheEffectivePolicy) {
  const NodeEvent event = PolicyInvalidEvent("line 3: no such field\nline 9: too", true);
  EXPECT_TRUE(event.warning);
  EXPECT_EQ(event.note, "line 3: no such field; the last valid policy stays in force");
  EXPECT_THAT(PolicyInvalidEvent("x", false).note, HasSubstr("nothing is removed"));
}

TEST(Events, WarnOfAnUnreadPolicy) {
  const NodeEvent event = PolicyUnreadEvent("it was not read for 1m50s: 503");
  EXPECT_TRUE(event.warning);
  EXPECT_EQ(event.reason, "PolicyUnread");
  EXPECT_THAT(event.note, HasSubstr("not read for 1m50s: 503"));
}

TEST(Events, ALoadedPolicySaysWhetherImagesAreRemoved) {
  const PolicySource source{"configmap/a/b", "111111111111"};
  EXPECT_EQ(PolicyLoadedEvent(source, false, false, false).note,
            "Loaded policy 111111111111 from configmap/a/b; dry run is off: images are removed");
  EXPECT_THAT(PolicyLoadedEvent(source, true, false, false).note,
              HasSubstr("; dry run: nothing is removed"));
  EXPECT_THAT(PolicyLoadedEvent(source, true, true, false).note, HasSubstr("suspended"));
}

}  // namespace
}  // namespace imagesweep
