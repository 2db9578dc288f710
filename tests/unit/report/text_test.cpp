#include "agent/report/documents/text.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "agent/report/documents/analysis.h"
#include "agent/report/documents/changes.h"
#include "agent/report/documents/df.h"
#include "agent/report/documents/restore.h"
#include "agent/report/documents/short_names.h"
#include "agent/report/documents/sweep_page.h"
#include "agent/report/render/printable.h"
#include "agent/report/render/table.h"
#include "agent/telemetry/events.h"
#include "tests/support/report.h"

namespace imagesweep {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

TEST(Printable, EscapesControlCharactersAndInvalidUtf8) {
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

Table WideTable() {
  Table table({"NAME", "ID", "AGE", "VERDICT", "REASON"}, {{"ID", "AGE"}, "REASON"});
  table.Add({"quay.io/team/app:1", "0123456789ab", "3d", "Keep", "used by gr\xc3\xbcn"});
  table.Add({"b:2", "ba9876543210", "4d", "Remove", "no pod of this node has used it for 4 days"});
  return table;
}

TEST(Table, OmitsNothingThatFits) {
  const std::string whole = WideTable().Render();
  constexpr std::size_t kWidth = 90;  // of its last line
  for (const std::size_t enough : {std::size_t{0}, kWidth, kWidth + 1})
    EXPECT_EQ(WideTable().Render(true, enough), whole) << enough;
  EXPECT_NE(WideTable().Render(true, kWidth - 1), whole);
}

TEST(Table, CutsFreeTextWhenOtherwiseEnoughFits) {
  EXPECT_EQ(WideTable().Render(true, 74),
            "NAME                ID            AGE  VERDICT  REASON\n"
            "quay.io/team/app:1  0123456789ab  3d   Keep     used by gr\xc3\xbcn\n"
            "b:2                 ba9876543210  4d   Remove   no pod of this node has u\u2026\n");
}

TEST(Table, OmitsTheLeastImportantColumnsFirst) {
  const std::string without_id = WideTable().Render(true, 70);
  EXPECT_THAT(without_id, testing::StartsWith("NAME                AGE  VERDICT  REASON\n"));
  EXPECT_THAT(without_id, HasSubstr("b:2                 4d   Remove   no pod of this node has "
                                    "used it for\u2026\n"));
  EXPECT_EQ(WideTable().Render(true, 56),
            "NAME                VERDICT  REASON\n"
            "quay.io/team/app:1  Keep     used by gr\xc3\xbcn\n"
            "b:2                 Remove   no pod of this node has us\u2026\n");
}

TEST(Table, NeverOmitsNamesAndVerdicts) {
  EXPECT_EQ(WideTable().Render(true, 1),
            "NAME                VERDICT  REASON\n"
            "quay.io/team/app:1  Keep     used \u2026\n"
            "b:2                 Remove   no po\u2026\n");
}

TEST(Table, CutsNoCharacterInHalf) {
  Table table({"TEXT"}, {{}, "TEXT"});
  table.Add({"gr\xc3\xbcn gr\xc3\xbcn"});
  EXPECT_EQ(table.Render(true, 4), "TEXT\ngr\xc3\xbc\u2026\n");
}

// The name and the verdict of the one image that goes, at any width.
TEST(Text, TablesFitTheTerminal) {
  Report report = SampleReport();
  report.plan.decisions[ImagePos(1)].reason =
      "unused for 41d since its last use, longer than maximumAge 48h";
  for (const auto render : {ImagesText, PlanText, SweepText}) {
    const std::string narrow = render(report, {.with_header = false, .width = 40});
    for (std::size_t at = 0; at < narrow.size(); at = narrow.find('\n', at) + 1)
      EXPECT_LE(narrow.find('\n', at) - at, 40U + 2) << narrow;  // "…" has three bytes
    EXPECT_THAT(narrow, testing::ContainsRegex("app:1 .*Remove"));
    EXPECT_NE(narrow, render(report, {.with_header = false}));
  }
  EXPECT_THAT(SweepText(report, {.width = 70}), HasSubstr("\u2026\n"));
  EXPECT_THAT(SweepText(report, {}), Not(HasSubstr("\u2026")));
  const Page page = *MakeSweepPage(SweepJson(report));
  EXPECT_THAT(ToText(page, 60), HasSubstr("\u2026\n"));
  EXPECT_THAT(ToText(page), Not(HasSubstr("\u2026")));
}

TEST(ShortNames, LeaveOutDockerHub) {
  const ShortNames names;
  const std::pair<std::string, std::string> cases[] = {
      {"docker.io/library/nginx:1.25", "nginx:1.25"},
      {"docker.io/team/app:1", "team/app:1"},
      {"docker.io/library/ci@sha256:476119050bf5", "ci@sha256:476119050bf5"},
      {"quay.io/team/app:1", "quay.io/team/app:1"},
      {"registry-1.docker.io/library/nginx:1", "registry-1.docker.io/library/nginx:1"},
      // The short forms mean other images.
      {"docker.io/library/library/app:1", "library/library/app:1"},
      {"docker.io/quay.io/app:1", "docker.io/quay.io/app:1"},
      {"docker.io/localhost/app:1", "docker.io/localhost/app:1"},
      {"<none>", "<none>"},
  };
  for (const auto& [name, shown] : cases) EXPECT_EQ(names.Of(name), shown);
  for (const auto& [name, shown] : cases) EXPECT_EQ(ShortNames::Full().Of(name), name);
}

TEST(ShortNames, AreFullWhereAnotherRegistryHasThePath) {
  const ShortNames names({Img("a", {"quay.io/nginx:2", "quay.io/library/redis:7"}),
                          Img("b", {"localhost:5000/team/app:1"}), Img("c", {"nginx:1"})});
  for (const std::string name :
       {"docker.io/library/nginx:1", "docker.io/library/redis:6", "docker.io/team/app:9"})
    EXPECT_EQ(names.Of(name), name);
  EXPECT_EQ(names.Of("docker.io/library/app:1"), "app:1");
  EXPECT_EQ(names.Of("docker.io/team/nginx:1"), "team/nginx:1");
}

TEST(Text, TablesHaveShortNamesAndDocumentsHaveFullNames) {
  const Report report = SampleReport();
  const TextOptions wide{.wide = true};
  const std::string full = "docker.io/library/app:1";
  for (const auto render : {ImagesText, PlanText, SweepText}) {
    EXPECT_THAT(render(report, {}), AllOf(HasSubstr("\napp:1 "), Not(HasSubstr(full))));
    EXPECT_THAT(render(report, wide), HasSubstr("\n" + full + " "));
  }
  DiskUse use;
  use.images.emplace_back().name = full;
  EXPECT_THAT(DiskUseText(use, {}), Not(HasSubstr(full)));
  EXPECT_THAT(DiskUseText(use, wide), HasSubstr(full));
  EXPECT_THAT(ToText(*MakeSweepPage(SweepJson(report), /*full=*/false)),
              testing::ContainsRegex("\napp +1 +2.0KiB +too old\n"));
  EXPECT_THAT(ToText(*MakeSweepPage(SweepJson(report))),
              testing::ContainsRegex("\ndocker.io/library/app +1 +2.0KiB +too old\n"));
  Analysis analysis;
  analysis.required = ImagesAt(1);
  EXPECT_THAT(ToText(MakeAnalysisPage(report, analysis, ShortNames(report.observation.images))),
              HasSubstr("\napp:1 "));
  EXPECT_THAT(ToText(MakeAnalysisPage(report, analysis)), HasSubstr("\n" + full + " "));
}

// A report about the removal of an image that was built on a host with Docker.
Report ReportOfDocker() {
  Report report = SampleReport();
  report.runtime.name = "docker";
  MakeLocal(report.observation.images[ImagePos(1)]);
  report.observation.references[0].by = {ImageUserKind::kContainer, {}, {}, "shop/web"};
  report.builds = {{ImagePos(1),
                    "https://git.example/shop",
                    "4f8e",
                    "shop",
                    "api",
                    {"COPY . /app", "RUN make\ntest"}}};
  return report;
}

TEST(Text, AReportTellsHowToBuildAnImageAgain) {
  const std::string page = ToMarkdown(*MakeSweepPage(SweepJson(ReportOfDocker())));
  EXPECT_THAT(page, HasSubstr("\n## Building images again\n"));
  EXPECT_THAT(page, HasSubstr("\n| docker.io/library/app | 1 | https://git.example/shop | 4f8e | "
                              "shop/api |\n"));
  EXPECT_THAT(page, HasSubstr("```dockerfile\n# docker.io/library/app:1\nCOPY . /app\nRUN make "
                              "test\n```\n"));
  EXPECT_THAT(ToText(*MakeSweepPage(SweepJson(ReportOfDocker()), /*full=*/false)),
              AllOf(HasSubstr("https://git.example/shop"), Not(HasSubstr("COPY"))));
  EXPECT_THAT(ToMarkdown(*MakeSweepPage(SweepJson(SampleReport()))),
              Not(HasSubstr("Building images again")));
}

TEST(Text, NamesAServiceOfComposeAsAUserWithoutItsKind) {
  const std::string page = ToMarkdown(*MakeSweepPage(SweepJson(ReportOfDocker())));
  EXPECT_THAT(page, HasSubstr("| docker.io/library/app | 2 | 1000B | shop/web |\n"));
  Report report = ReportOfDocker();
  report.observation.references[0].by.container = "web";
  EXPECT_THAT(ToMarkdown(*MakeSweepPage(SweepJson(report))), HasSubstr(" | Container web |\n"));
}

TEST(Text, NamesTheCommandsOfDockerOnDocker) {
  Report report = SampleReport();
  EXPECT_THAT(ToMarkdown(*MakeSweepPage(SweepJson(report))), HasSubstr("\ncrictl pull "));
  EXPECT_THAT(ToText(MakeAnalysisPage(report, {})), HasSubstr("`crictl rmi --prune`"));
  report.runtime.name = "docker";
  EXPECT_THAT(ToMarkdown(*MakeSweepPage(SweepJson(report))), HasSubstr("\ndocker pull "));
  EXPECT_THAT(ToText(MakeAnalysisPage(report, {})), HasSubstr("`docker image prune --all`"));
}

TEST(Text, APlanShowsRemovalsFirstAndSaysWhereItComesFrom) {
  const std::string text = PlanText(SampleReport(), {});
  EXPECT_LT(text.find("app:1"), text.find("app:2"));
  EXPECT_THAT(text, HasSubstr("To remove: 1 image"));
  EXPECT_THAT(text, HasSubstr("sha256 9f2c41aa03be"));
  EXPECT_THAT(text, HasSubstr("2 pods on node node1"));
}

TEST(Text, CountsLocalOnlyImagesInAPlan) {
  Report report = SampleReport();
  EXPECT_THAT(PlanText(report, {}), Not(HasSubstr("can be pulled again")));
  MakeLocal(report.observation.images[ImagePos(1)]);
  EXPECT_THAT(PlanText(report, {}),
              HasSubstr("No evidence proves that 1 of these can be pulled again, and they are not "
                        "archived"));
  report.effective_policy.keep.archive.path = "/archive";
  EXPECT_THAT(PlanText(report, {}),
              HasSubstr("No evidence proves that 1 of these can be pulled again; they are archived "
                        "in /archive first."));
}

TEST(Text, APlanAsMarkdownHasTheSectionsOfAReport) {
  Report report = SampleReport();
  report.outcomes.clear();  // an evaluation has none
  report.before.reset();
  report.after.reset();
  report.policy_text = "kind: SweepPolicy\n";
  const std::string page = ToMarkdown(MakePlanPage(report));
  EXPECT_THAT(page, testing::StartsWith("# Image plan of node1\n"));
  EXPECT_THAT(page, HasSubstr("- To remove: 1 image, 2.0KiB as the runtime counts sizes\n"));
  EXPECT_THAT(page, HasSubstr("\n## Would be removed, round 1: Age\n"));
  EXPECT_THAT(page, HasSubstr("\n| docker.io/library/app | 1 | 2.0KiB | too old |\n"));
  EXPECT_THAT(page, HasSubstr("\n## Retained: in use\n"));
  EXPECT_THAT(page, HasSubstr("```yaml\nkind: SweepPolicy\n```\n"));
  for (const char* after : {"## Removed", "Verification", "Getting images back", "Disk space"})
    EXPECT_THAT(page, Not(HasSubstr(after)));
}

TEST(Text, ShowsHowToRestoreRemovedImages) {
  Report report = SampleReport();
  report.dry_run = false;
  const auto page = [&] { return ToMarkdown(*MakeSweepPage(SweepJson(report))); };
  EXPECT_THAT(page(), HasSubstr("imagesweep restore --run " + report.run + " --dry-run=false\n"));
  EXPECT_THAT(page(), HasSubstr("crictl pull "));
  MakeLocal(report.observation.images[ImagePos(1)]);
  EXPECT_THAT(page(), HasSubstr("can be pulled again: you may have to build it again"));
  report.effective_policy.keep.archive.path = "/archive";
  EXPECT_THAT(page(), AllOf(HasSubstr("can be pulled again: an archive of it is in /archive"),
                            Not(HasSubstr("build it again"))));
  report.dry_run = true;
  EXPECT_THAT(page(), HasSubstr("imagesweep restore --last --dry-run=false\n"));
}

TEST(Text, AReportOnATerminalHasNoPullsAndNoPolicy) {
  Report report = SampleReport();
  report.policy_text = "kind: SweepPolicy\n";
  const auto full = ToText(*MakeSweepPage(SweepJson(report)));
  const auto brief = ToText(*MakeSweepPage(SweepJson(report), /*full=*/false));
  for (const char* only_full : {"crictl pull ", "Policy followed", "kind: SweepPolicy"}) {
    EXPECT_THAT(full, HasSubstr(only_full));
    EXPECT_THAT(brief, Not(HasSubstr(only_full)));
  }
  EXPECT_THAT(brief, HasSubstr("imagesweep restore --run " + report.run));
}

TEST(Text, APageShowsTheSavingInCents) {
  constexpr std::uint64_t kGiB = std::uint64_t{1} << 30;
  const struct {
    double price;
    std::uint64_t bytes;
    const char* says;
  } cases[] = {
      {0.045, 20 * kGiB, "Saves 0.90 a month at 0.045 per GiB"},
      {0.1, 3 * kGiB, "Saves 0.30 a month at 0.10 per GiB"},
      {2, 3 * kGiB, "Saves 6.00 a month at 2.00 per GiB"},
      {12.5, kGiB / 3, "Saves 4.17 a month at 12.50 per GiB"},
      {0.1, kGiB / 2, "Saves 0.05 a month at 0.10 per GiB"},
      {0.1, kGiB / 8, "Saves 0.013 a month at 0.10 per GiB"},
      {0.023, kGiB / 64, "Saves 0.00036 a month at 0.023 per GiB"},
  };
  for (const auto& [price, bytes, says] : cases) {
    Report report = SampleReport();
    report.effective_policy.reporting.storage_cost_per_gib_month = price;
    report.observation.images[ImagePos(1)].size_bytes = bytes;
    EXPECT_THAT(ToText(*MakeSweepPage(SweepJson(report))), HasSubstr(says));
  }
  EXPECT_THAT(ToText(*MakeSweepPage(SweepJson(SampleReport()))), Not(HasSubstr("a month")));
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
  report.plan.decisions[ImagePos(1)].verdict = Verdict::kKeep;
  report.plan.decisions[ImagePos(1)].code = Code::kTooYoung;
  report.plan.decisions[ImagePos(2)].code = Code::kTooYoung;
  EXPECT_THAT(SweepText(report, {}),
              HasSubstr("\nKept: 1 InUse, 2 TooYoung; `imagesweep plan -o wide` shows the reason"));
}

TEST(Text, ADryRunSaysWhichCommandRemoves) {
  Report report = SampleReport();
  EXPECT_THAT(SweepText(report, {}), Not(HasSubstr("No image was removed")));
  report.dry_run = true;
  EXPECT_THAT(SweepText(report, {}), HasSubstr("run the same command with --dry-run=false."));
  report.plan.free_space_target = 1;
  EXPECT_THAT(SweepText(report, {}), HasSubstr("run the same command with --dry-run=false."));
}

TEST(Text, ShowsWithoutKubernetesInEveryOutput) {
  Report report = SampleReport();
  report.evidence.without_kubernetes = true;
  for (const std::string& text :
       {ImagesText(report, {}), PlanText(report, {}), SweepText(report, {}),
        ExplanationText(report, ImagePos(0), {}, "x")})
    EXPECT_THAT(text, HasSubstr("WITHOUT KUBERNETES"));
}

TEST(Text, ASuspendedPolicyIsSaidInEveryOutput) {
  Report report = SampleReport();
  EXPECT_THAT(PlanText(report, {}), Not(HasSubstr("SUSPENDED")));
  report.effective_policy.suspend = true;
  for (const std::string& text :
       {ImagesText(report, {}), PlanText(report, {}), SweepText(report, {}),
        ExplanationText(report, ImagePos(0), {}, "x")})
    EXPECT_THAT(text, HasSubstr("The policy is SUSPENDED"));
}

TEST(Text, ShowDeferredImagesWithTheReason) {
  Report report = SampleReport();
  EXPECT_THAT(SweepText(report, {}), Not(HasSubstr("Deferred: ")));
  report.plan.decisions[ImagePos(2)].verdict = Verdict::kDefer;
  report.plan.decisions[ImagePos(2)].waits_for = "this run has reached limits.maxImages 1";
  for (const std::string& text : {PlanText(report, {}), SweepText(report, {})})
    EXPECT_THAT(
        text,
        HasSubstr("\nDeferred: 1 image (3.9KiB): this run has reached limits.maxImages 1.\n"));
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
  const std::string explained = ExplanationText(report, ImagePos(2), {}, "x");
  EXPECT_THAT(explained, HasSubstr("\n  wanted   Deployment shop/api-0, revision 7\n"));
  EXPECT_THAT(explained, HasSubstr("\n  wanted   StatefulSet shop/api-1\n"));
  EXPECT_THAT(explained, HasSubstr("\n  wanted   … and by 3 more workloads\n"));
  const std::string page = ToText(*MakeSweepPage(SweepJson(report)));
  EXPECT_THAT(page, HasSubstr("Retained: needed by workloads"));
  EXPECT_THAT(page, HasSubstr("Deployment shop/api-0 revision 7, StatefulSet shop/api-1, "
                              "StatefulSet shop/api-10 and 20 more"));
  EXPECT_THAT(ToText(*MakeSweepPage(SweepJson(SampleReport()))),
              Not(HasSubstr("needed by workloads")));
}

TEST(Text, WithoutHeadersThereAreRowsAlone) {
  const Report report = SampleReport();
  const TextOptions bare{.wide = false, .with_header = false};
  for (const auto& [text, rows] : {std::pair{ImagesText(report, bare), 3},
                                   {PlanText(report, bare), 3},
                                   {SweepText(report, bare), 1}}) {
    EXPECT_EQ(std::ranges::count(text, '\n'), rows) << text;
    EXPECT_THAT(text, testing::StartsWith("app:1 "));
  }
}

TEST(Text, ASummaryCountsTheImagesThatAwaitConfirmationAndTheRuns) {
  Report report = SampleReport();
  EXPECT_THAT(Summary(report), Not(HasSubstr("confirmation")));
  report.plan.decisions[ImagePos(1)].runs_to_confirm = 1;
  EXPECT_THAT(Summary(report),
              HasSubstr("; 1 awaits confirmation by 1 more run (limits.confirmRuns)"));
  report.plan.decisions[ImagePos(2)].runs_to_confirm = 1;
  EXPECT_THAT(Summary(report), HasSubstr("; 2 await confirmation by 1 more run ("));
  report.plan.decisions[ImagePos(2)].runs_to_confirm = 3;
  EXPECT_THAT(Summary(report), HasSubstr("; 2 await confirmation by 1 to 3 more runs ("));
}

TEST(ShownName, IsNoneWithTwelveDigitsOfTheIdWithoutAName) {
  const std::string digits = "3f8a7c2b1e9d" + std::string(52, '0');
  EXPECT_EQ(ShownName("sha256:" + digits), "<none> (3f8a7c2b1e9d)");
  EXPECT_EQ(ShownName(digits), "<none> (3f8a7c2b1e9d)") << "CRI-O";
  for (const std::string& name :
       {std::string("docker.io/library/app:1"), "docker.io/library/app@sha256:" + digits,
        "sha256:" + digits + "0", digits.substr(1), std::string()})
    EXPECT_EQ(ShownName(name), name);
}

TEST(Text, AnImageWithoutANameIsShownInOneFormEverywhere) {
  Report report = SampleReport();
  Image& image = report.observation.images[ImagePos(1)];
  MakeLocal(image);
  image.tags.clear();
  const std::string digits = image.id.text().substr(7),
                    shown = "<none> (" + digits.substr(0, 12) + ")";
  const auto is_shown = AllOf(HasSubstr(shown), Not(HasSubstr(digits)));
  EXPECT_THAT(SweepText(report, {}),
              testing::ContainsRegex("\n<none> +" + digits.substr(0, 12) + " +2.0KiB"))
      << "beside its ID";
  const std::string page = ToText(*MakeSweepPage(SweepJson(report)));
  EXPECT_THAT(page, is_shown);
  EXPECT_THAT(page, testing::ContainsRegex("\n<none> .7200+. +<none> +2.0KiB +too old"));
  Analysis analysis;
  analysis.required = ImagesAt(1);
  EXPECT_THAT(ToText(MakeAnalysisPage(report, analysis)), is_shown);
  report.outcomes[0].kind = OutcomeKind::kFailed;
  EXPECT_THAT(EventsOf(report).front().note, is_shown);
  report.missing_after = {image.display_name()};
  EXPECT_THAT(SweepText(report, {}), HasSubstr("although referenced:\n  " + shown + "\n"));
  EXPECT_THAT(ChangeLine({Change::Kind::kGone, image.display_name(), "2.0KiB"}, {}), is_shown);
  RestoreReport restore;
  restore.images.emplace_back().id = image.id.text();
  EXPECT_THAT(RestoreText(restore, {}), is_shown);
  DiskUse use;
  use.images.emplace_back().name = image.display_name();
  EXPECT_THAT(DiskUseText(use, {}), is_shown);
  EXPECT_THAT(SweepJson(report), HasSubstr(digits)) << "documents have the full ID";
}

TEST(Text, AnUnknownAgeIsSaid) {
  Report report = SampleReport();
  EXPECT_THAT(ImagesText(report, {}), Not(HasSubstr("just-seen")));
  report.observation.ages[ImagePos(2)].just_seen = true;
  EXPECT_THAT(ImagesText(report, {}), HasSubstr("ages of \"just-seen\" images start now"));
}

TEST(Text, ARefusedRunSaysThatNothingWasRemoved) {
  Report report;
  report.refused = Refusal{"pods", {ErrorKind::kUnavailable, "connection refused"}};
  EXPECT_EQ(Summary(report), "Run aborted, nothing removed: cannot read pods: connection refused");
}

}  // namespace
}  // namespace imagesweep
