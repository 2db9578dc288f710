#include "agent/report/text.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "agent/report/printable.h"
#include "agent/report/sweep_page.h"
#include "agent/report/table.h"
#include "tests/support/report.h"

namespace imagesweep {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

TEST(Printable, EscapesWhatCouldBreakALineOrATerminal) {
  const std::pair<std::string, std::string> cases[] = {
      {"plain/name:v1", "plain/name:v1"},
      {"a\nb", "a\\x0Ab"},
      {"\x1b[31m", "\\x1B[31m"},
      {std::string("a\0b", 3), "a\\x00b"},
      {"\xff", "\\xFF"},
      {"\xc0\xaf", "\\xC0\\xAF"},           // overlong
      {"\xe2\x80\xae", "\\xE2\\x80\\xAE"},  // right-to-left override
      {"gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f"},
      {"\xe2\x82", "\\xE2\\x82"},  // cut off
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(Printable(text), expected);
}

TEST(Table, AlignsColumnsByWhatIsShown) {
  Table table({"NAME", "AGE"});
  table.Add({"gr\xc3\xbcn", "1s"});
  table.Add({"longer"});
  EXPECT_EQ(table.Render(), "NAME    AGE\ngr\xc3\xbcn    1s\nlonger  -\n");
  EXPECT_EQ(table.Render(false), "gr\xc3\xbcn    1s\nlonger  -\n");
}

TEST(Text, APlanShowsRemovalsFirstAndSaysWhereItComesFrom) {
  const std::string text = PlanText(SampleReport(), {});
  EXPECT_LT(text.find("app:1"), text.find("app:2"));
  EXPECT_THAT(text, HasSubstr("To remove: 1 image"));
  EXPECT_THAT(text, HasSubstr("sha256 9f2c41aa03be"));
  EXPECT_THAT(text, HasSubstr("2 pods on node node1"));
}

TEST(Text, APlanCountsWhatCannotBePulledAgain) {
  Report report = SampleReport();
  EXPECT_THAT(PlanText(report, {}), Not(HasSubstr("no proof that")));
  MakeLocal(report.observation.images[1]);
  EXPECT_THAT(PlanText(report, {}),
              HasSubstr("1 of these have no proof that they can be pulled again, and nothing keeps"));
  report.in_force.keep.archive.path = "/archive";
  EXPECT_THAT(PlanText(report, {}),
              HasSubstr("1 of these have no proof that they can be pulled again; a copy goes to /archive "
                        "first."));
}

TEST(Text, APageSaysHowWhatWentComesBack) {
  Report report = SampleReport();
  report.dry_run = false;
  const auto page = [&] { return ToMarkdown(*MakeSweepPage(SweepJson(report))); };
  EXPECT_THAT(page(), HasSubstr("imagesweep restore --run " + report.run + " --dry-run=false\n"));
  EXPECT_THAT(page(), HasSubstr("crictl pull "));
  MakeLocal(report.observation.images[1]);
  EXPECT_THAT(page(), HasSubstr("has no proof that it can be pulled again: it can only be built again"));
  report.in_force.keep.archive.path = "/archive";
  EXPECT_THAT(page(), AllOf(HasSubstr("has no proof that it can be pulled again: an archive of it is in /archive"),
                            Not(HasSubstr("built again"))));
  report.dry_run = true;
  EXPECT_THAT(page(), HasSubstr("imagesweep restore --last --dry-run=false\n"));
}

TEST(Text, ASweepShowsBeforeAndAfterAsMeasured) {
  const std::string text = SweepText(SampleReport(), {});
  EXPECT_THAT(text, HasSubstr("Removed 1 image"));
  EXPECT_THAT(text, HasSubstr("1.5KiB more free"));
  EXPECT_THAT(text, HasSubstr("Verified: the one referenced image is present."));
}

TEST(Text, ASweepThatRemovesNothingSaysWhatKeepsTheImages) {
  Report report = SampleReport();
  EXPECT_THAT(SweepText(report, {}), Not(HasSubstr("Kept: ")));
  report.outcomes.clear();
  report.plan.decisions[1].verdict = Verdict::kKeep;
  report.plan.decisions[1].code = Code::kTooYoung;
  report.plan.decisions[2].code = Code::kTooYoung;
  EXPECT_THAT(SweepText(report, {}),
              HasSubstr("\nKept: 1 InUse, 2 TooYoung; `imagesweep plan -o wide` says why"));
}

TEST(Text, ADryRunSaysWhichCommandRemoves) {
  Report report = SampleReport();
  EXPECT_THAT(SweepText(report, {}), Not(HasSubstr("Nothing was removed")));
  report.dry_run = true;
  EXPECT_THAT(SweepText(report, {}), HasSubstr("The same command with --dry-run=false does it."));
  report.plan.room = 1;
  EXPECT_THAT(SweepText(report, {}), HasSubstr("The same command with --dry-run=false does it."));
}

TEST(Text, DoingWithoutKubernetesIsSaidInEveryOutput) {
  Report report = SampleReport();
  report.evidence.without_kubernetes = true;
  for (const std::string& text : {ImagesText(report, {}), PlanText(report, {}),
                                  SweepText(report, {}), ExplanationText(report, 0, {}, "x")})
    EXPECT_THAT(text, HasSubstr("WITHOUT KUBERNETES"));
}

TEST(Text, ASuspendedPolicyIsSaidInEveryOutput) {
  Report report = SampleReport();
  EXPECT_THAT(PlanText(report, {}), Not(HasSubstr("SUSPENDED")));
  report.in_force.suspend = true;
  for (const std::string& text : {ImagesText(report, {}), PlanText(report, {}),
                                  SweepText(report, {}), ExplanationText(report, 0, {}, "x")})
    EXPECT_THAT(text, HasSubstr("The policy is SUSPENDED"));
}

TEST(Text, APlanAndASweepSayWhatWaitsAndForWhat) {
  Report report = SampleReport();
  EXPECT_THAT(SweepText(report, {}), Not(HasSubstr("Deferred: ")));
  report.plan.decisions[2].verdict = Verdict::kDefer;
  report.plan.decisions[2].waits_for = "this run has reached limits.maxImages 1";
  for (const std::string& text : {PlanText(report, {}), SweepText(report, {})})
    EXPECT_THAT(text,
                HasSubstr("\nDeferred: 1 image (3.9KiB): this run has reached "
                        "limits.maxImages 1.\n"));
}

TEST(Text, CountsAndLabelsReadAsALanguage) {
  Report report = SampleReport();
  report.evidence.pods = report.evidence.containers = 1;
  const std::string text = SweepText(report, {});
  EXPECT_THAT(text, HasSubstr("1 pod on node node1, 1 container.\n"));
  EXPECT_THAT(text, HasSubstr("\nImage sizes  6.8KiB"));
  EXPECT_THAT(text, HasSubstr("\nReclaimable  5.9KiB (86%)"));
  EXPECT_THAT(text, HasSubstr("\nDisk used    8.8KiB of 9.8KiB (90%)"));
  report.referenced_images = 2;
  EXPECT_THAT(SweepText(report, {}), HasSubstr("Verified: all 2 referenced images are present."));
}

TEST(Text, TheWorkloadsThatWantAnImageStandWhereItsUsersDo) {
  const Report report = SampleReportWithWorkloads(23);
  for (const std::string& text : {ImagesText(report, {}), PlanText(report, {})}) {
    EXPECT_THAT(text, HasSubstr("  Deployment/shop/api-0+22  "));
    EXPECT_THAT(text, HasSubstr("3 containers, 23 image references of workloads.\n"));
  }
  const std::string explained = ExplanationText(report, 2, {}, "x");
  EXPECT_THAT(explained, HasSubstr("\n  wanted   Deployment shop/api-0, revision 7\n"));
  EXPECT_THAT(explained, HasSubstr("\n  wanted   StatefulSet shop/api-1\n"));
  EXPECT_THAT(explained, HasSubstr("\n  wanted   … and by 3 more workloads\n"));
  const std::string page = ToText(*MakeSweepPage(SweepJson(report)));
  EXPECT_THAT(page, HasSubstr("Retained: wanted by workloads"));
  EXPECT_THAT(page, HasSubstr("Deployment shop/api-0 revision 7, StatefulSet shop/api-1, "
                              "StatefulSet shop/api-10 and 20 more"));
  EXPECT_THAT(ToText(*MakeSweepPage(SweepJson(SampleReport()))),
              Not(HasSubstr("wanted by workloads")));
}

TEST(Text, WithoutHeadersThereAreRowsAlone) {
  const Report report = SampleReport();
  const TextOptions bare{.wide = false, .with_header = false};
  for (const auto& [text, rows] : {std::pair{ImagesText(report, bare), 3},
                                   {PlanText(report, bare), 3},
                                   {SweepText(report, bare), 1}}) {
    EXPECT_EQ(std::ranges::count(text, '\n'), rows) << text;
    EXPECT_THAT(text, testing::StartsWith("docker.io/library/app:1 "));
  }
}

TEST(Text, AnUnknownAgeIsSaid) {
  Report report = SampleReport();
  EXPECT_THAT(ImagesText(report, {}), Not(HasSubstr("just-seen")));
  report.observation.ages[2].just_seen = true;
  EXPECT_THAT(ImagesText(report, {}), HasSubstr("ages of \"just-seen\" images start now"));
}

TEST(Text, ARefusedRunSaysThatNothingWasRemoved) {
  Report report;
  report.refused = Refusal{"pods", {ErrorKind::kUnavailable, "connection refused"}};
  EXPECT_EQ(Summary(report),
            "Refused: removed nothing, because pods cannot be trusted: connection refused");
}

}  // namespace
}  // namespace imagesweep
