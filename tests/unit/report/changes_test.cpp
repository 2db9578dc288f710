#include "agent/report/documents/changes.h"

#include <gmock/gmock.h>

#include "tests/support/report.h"

namespace imagesweep {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

Report Refused() {
  Report report;
  report.refused = Refusal{"pods", {ErrorKind::kDenied, "403"}};
  return report;
}

// "Gone docker.io/library/app:1"
std::vector<std::string> Said(ChangeLog& log, const Report& look) {
  std::vector<std::string> said;
  for (const Change& change : log.Add(look))
    said.push_back(std::string(ToString(change.kind)) + " " + change.image);
  return said;
}

TEST(ChangeLog, ReportsNothingForTheFirstObservationOrWithoutChanges) {
  ChangeLog log;
  EXPECT_THAT(Said(log, SampleReport()), IsEmpty());
  EXPECT_THAT(Said(log, SampleReport()), IsEmpty());
}

TEST(ChangeLog, TellsPulledGoneUsedReleasedAndTagged) {
  ChangeLog log;
  log.Add(SampleReport());
  Report after = SampleReport();
  after.plan.decisions[ImagePos(0)].code = Code::kIdle;   // app:2 is no longer used
  after.plan.decisions[ImagePos(2)].code = Code::kInUse;  // idle:1 is used
  after.plan.decisions[ImagePos(2)].reason = "used by Pod shop/job/run";
  after.observation.images[ImagePos(2)].tags.clear();
  after.observation.images[ImagePos(1)] =
      Img("n", {"new:1"}, 512);  // app:1 was removed, new:1 appeared
  EXPECT_THAT(Said(log, after),
              ElementsAre("Gone docker.io/library/app:1", "Released docker.io/library/app:2",
                          "Tagged docker.io/library/idle:1", "Used docker.io/library/idle:1",
                          "Pulled docker.io/library/new:1"));
}

TEST(ChangeLog, ReportsANewImageInUseAsPulledAndUsed) {
  ChangeLog log;
  log.Add(SampleReport());
  Report after = SampleReport();
  after.observation.images[ImagePos(0)] = Img("n", {"new:1"}, 512);  // in use
  EXPECT_THAT(Said(log, after),
              ElementsAre("Gone docker.io/library/app:2", "Pulled docker.io/library/new:1",
                          "Used docker.io/library/new:1"));
}

TEST(ChangeLog, AnImageIsPulledUnderTheNameThatItGetsAMomentLater) {
  Report unnamed = SampleReport(), named = SampleReport();
  unnamed.observation.images[ImagePos(1)] = Img("n", {}, 512);
  named.observation.images[ImagePos(1)] = Img("n", {"new:1"}, 512);
  ChangeLog log;
  log.Add(SampleReport());
  EXPECT_THAT(Said(log, unnamed), ElementsAre("Gone docker.io/library/app:1"));
  EXPECT_THAT(Said(log, named), ElementsAre("Pulled docker.io/library/new:1"));
  EXPECT_THAT(Said(log, named), IsEmpty());
}

TEST(ChangeLog, ReportsAnImageWithoutANameByItsId) {
  Report unnamed = SampleReport();
  unnamed.observation.images[ImagePos(1)] = Img("n", {}, 512);
  ChangeLog log;
  log.Add(SampleReport());
  EXPECT_THAT(Said(log, unnamed), ElementsAre("Gone docker.io/library/app:1"));
  EXPECT_THAT(Said(log, unnamed), ElementsAre("Pulled " + Id("n")));
  EXPECT_THAT(Said(log, unnamed), IsEmpty());
  // An image of the first observation is not new.
  ChangeLog later;
  later.Add(unnamed);
  EXPECT_THAT(Said(later, unnamed), IsEmpty());
  // An image that was gone before it was reported is not news either.
  ChangeLog passing;
  passing.Add(SampleReport());
  passing.Add(unnamed);
  EXPECT_THAT(Said(passing, SampleReport()), ElementsAre("Pulled docker.io/library/app:1"));
}

TEST(ChangeLog, ReportsOnlyTheFailureOfAFailedObservation) {
  ChangeLog log;
  log.Add(SampleReport());
  EXPECT_THAT(Said(log, Refused()), ElementsAre("Failed "));
  EXPECT_THAT(Said(log, Refused()), IsEmpty());
  EXPECT_THAT(Said(log, SampleReport()), ElementsAre("Recovered "));
}

TEST(ChangeLog, ReportsChangesAfterAFailedObservation) {
  ChangeLog log;
  log.Add(SampleReport());
  log.Add(Refused());
  Report after = SampleReport();
  after.plan.decisions[ImagePos(0)].code = Code::kIdle;
  EXPECT_THAT(Said(log, after), ElementsAre("Recovered ", "Released docker.io/library/app:2"));
}

TEST(ChangeLog, AHostileNameStaysOnItsLine) {
  const std::string line =
      ChangeLine({Change::Kind::kPulled, "a\nb\x1b[2J", "1B"}, SystemTime(std::chrono::hours(9)));
  EXPECT_THAT(line, HasSubstr("09:00:00 Pulled"));
  EXPECT_THAT(line, Not(HasSubstr("\n")));
  EXPECT_THAT(line, Not(HasSubstr("\x1b")));
}

}  // namespace
}  // namespace imagesweep
