#include <gmock/gmock.h>
#include <openssl/evp.h>

#include <algorithm>

#include "agent/server/web/frame.h"
#include "agent/server/web/image_page.h"
#include "agent/server/web/status_page.h"
#include "tests/unit/server/web/markup.h"
#include "tests/unit/server/web/view.h"

namespace imagesweep::web {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

std::unique_ptr<Element> Page(const StatusView& view, const std::string& query = "") {
  return MarkupReader::Read(StatusPage(view, query));
}

// The cells in the body of a table.
std::vector<std::vector<std::string>> Cells(const Element& table) {
  std::vector<std::vector<std::string>> rows;
  for (const Element* row : table.All("tbody").at(0)->All("tr")) {
    rows.emplace_back();
    for (const Element* cell : row->All("td")) rows.back().push_back(cell->text);
  }
  for (auto& row : rows)
    for (std::string& text : row)
      while (!text.empty() && text.back() == '\n') text.pop_back();
  return rows;
}

// A report in which every external text is `text`.
Report ReportOf(const std::string& text) {
  Report report = SampleReport();
  report.node = report.runtime.name = report.runtime.version = report.run = text;
  report.policy.description = report.policy.sha256 = report.matched_override = text;
  report.stopped_early = report.evidence.resource_version = text;
  report.warnings = report.missing_after = {text};
  for (Image& image : report.observation.images) {
    image.id = ImageId(text + image.id.text());
    image.tags.push_back(ImageName::Parse(text));
    image.tags[0] = ImageName::Parse(text);
    image.digests[0] = ImageName::Parse(text);
  }
  for (ImageReference& reference : report.observation.references)
    reference = {text, text, {ImageUserKind::kPod, text, text, text}};
  report.observation.workloads = {{text, text, text, text, text, 1, 1, true}};
  report.plan.decisions[ImagePos(2)].needed_by = {0};
  for (Decision& decision : report.plan.decisions)
    decision.reason = decision.rule = decision.superseded_by = text;
  for (Outcome& outcome : report.outcomes) outcome.detail = text;
  report.observation.disk->mountpoint = text;
  return report;
}

TEST(Page, ShowsTheVerdictAndReasonOfEachImage) {
  const auto page = Page(ViewOf(SampleReport()));
  const Element* const images = page->ById("images");
  ASSERT_NE(images, nullptr);
  EXPECT_THAT(Cells(*images),
              ElementsAre(ElementsAre("docker.io/library/app:1", "Remove", "Age", "too old", "41d",
                                      "never seen", "2.0KiB"),
                          ElementsAre("docker.io/library/app:2", "Keep", "InUse",
                                      "used by Pod shop/api/web", "41d", "in use", "1000B"),
                          ElementsAre("docker.io/library/idle:1", "Keep", "Idle", "idle", "41d",
                                      "never seen", "3.9KiB")));
  EXPECT_THAT(page->ById("count")->text, HasSubstr("3 of 3 images"));
}

TEST(Page, FilterAndSortComeFromTheQueryAndStayInTheForm) {
  const auto page = Page(ViewOf(SampleReport()), "q=app&verdict=Keep&sort=size&order=desc");
  EXPECT_THAT(Cells(*page->ById("images")), SizeIs(1));
  EXPECT_THAT(page->ById("count")->text, HasSubstr("1 of 3 images"));
  const Element* const form = page->ById("find");
  EXPECT_EQ(form->attributes.at("method"), "get");
  EXPECT_EQ(form->All("input").at(0)->attributes.at("value"), "app");
  std::vector<std::string> chosen;
  for (const Element* option : form->All("option"))
    if (option->attributes.contains("selected")) chosen.push_back(option->attributes.at("value"));
  EXPECT_THAT(chosen, ElementsAre("Keep", "size", "desc"));
  // Every field has its label, and every column has a link that sorts by it.
  EXPECT_EQ(form->All("label").size(), form->All("input").size() + form->All("select").size());
  std::vector<std::string> sorted;
  for (const Element* head : page->ById("images")->All("th")) {
    EXPECT_THAT(head->All("a"), SizeIs(1));
    if (head->attributes.contains("aria-sort")) sorted.push_back(head->text);
  }
  EXPECT_THAT(sorted, ElementsAre("Size ▼"));
  EXPECT_EQ(page->ById("by-size")->attributes.at("href"),
            "./?q=app&verdict=Keep&sort=size&order=asc#list");
}

TEST(Page, ShowsBytesFreedByLayersWhenKnown) {
  Report report = SampleReport();
  EXPECT_THAT(Page(ViewOf(report))->ById("plan")->text, testing::Not(HasSubstr("by the layers")));
  report.layers.emplace();
  report.layers->planned = {4096, 3, "at most", "Leases.List: broken"};
  report.layers->removed = {3072, 3, "exactly", ""};
  report.layers->measured_bytes = 2048;
  EXPECT_THAT(Page(ViewOf(report))->ById("plan")->text,
              HasSubstr("Frees at most 4.0KiB (Leases.List: broken) by the layers; removed images: "
                        "predicted 3.0KiB (exact), measured 2.0KiB."));
}

TEST(Page, ShowsDiskPlanHoldersRunsSourcesAndPolicy) {
  const auto page = Page(ViewOf(SampleReport()));
  const auto bars = page->ById("disk")->All("svg");
  ASSERT_THAT(bars, SizeIs(2));
  EXPECT_THAT(bars[0]->attributes.at("aria-label"),
              HasSubstr("75% of 9.8KiB used at /, 2.4KiB free; from 75% on, images are removed "
                        "down to 65%"));
  EXPECT_EQ(bars[0]->All("rect").at(1)->attributes.at("width"), "75");
  EXPECT_EQ(bars[0]->All("rect").at(2)->attributes.at("x"), "65");
  EXPECT_EQ(bars[0]->All("rect").at(3)->attributes.at("x"), "75");
  EXPECT_THAT(Cells(*page->ById("plan")->All("table").at(0)),
              ElementsAre(ElementsAre("1", "docker.io/library/app:1", "Age", "too old", "Removed",
                                      "2.0KiB")));
  EXPECT_THAT(page->ById("plan")->text, HasSubstr("1 image to remove, 2.0KiB"));
  const auto held = Cells(*page->ById("protected")->All("table").at(0));
  ASSERT_THAT(held, SizeIs(2));
  EXPECT_THAT(held[0], ElementsAre("InUse", "1", "1000B", HasSubstr("Pod shop/api/web")));
  const auto runs = Cells(*page->ById("runs")->All("table").at(0));
  ASSERT_THAT(runs, SizeIs(1));
  EXPECT_EQ(runs[0].at(3), "3 → 2");
  EXPECT_EQ(runs[0].at(4), "8.8KiB (90%) → 7.3KiB (75%)");
  EXPECT_THAT(
      page->ById("sources")->text,
      AllOf(HasSubstr("2 pods on this node"), HasSubstr("3 containers"), Not(HasSubstr("failed"))));
  EXPECT_THAT(page->ById("policy")->text,
              AllOf(HasSubstr("file/policy.yaml"), HasSubstr("dryRun: false")));
}

TEST(Page, AnImageWithoutANameIsNoneAndItsShortId) {
  Report report = SampleReport();
  report.observation.images[ImagePos(1)].tags.clear();
  report.observation.images[ImagePos(1)].digests.clear();
  const auto page = Page(ViewOf(report));
  EXPECT_EQ(Cells(*page->ById("plan")->All("table").at(0))[0].at(1), "<none> (720000000000)");
}

TEST(Page, ADryRunIsFollowedByAnEstimate) {
  StatusView view = ViewOf(SampleReport());
  view.runs[0].entry.dry_run = true;
  EXPECT_EQ(Cells(*Page(view)->ById("runs")->All("table").at(0))[0].at(3), "3 → about 2");
  view.runs[0].after->disk.reset();
  EXPECT_EQ(Cells(*Page(view)->ById("runs")->All("table").at(0))[0].at(4), "8.8KiB (90%)");
}

TEST(Page, NamesTheWorkloadsThatHoldAnImageAndFindsItByThem) {
  const auto page = Page(ViewOf(SampleReportWithWorkloads(2)), "q=statefulset+shop/api-1");
  const auto held = Cells(*page->ById("protected")->All("table").at(0));
  ASSERT_THAT(held, SizeIs(2));
  EXPECT_THAT(held[1], ElementsAre("Workload", "1", "3.9KiB",
                                   AllOf(HasSubstr("workloads that will start them again"),
                                         HasSubstr("Deployment shop/api-0, revision 7"),
                                         HasSubstr("StatefulSet shop/api-1"))));
  EXPECT_THAT(Cells(*page->ById("images")), SizeIs(1));

  const auto image =
      MarkupReader::Read(ImagePage(ViewOf(SampleReportWithWorkloads(101)), ImagePos(2), {}, "x"));
  EXPECT_THAT(image->text, AllOf(HasSubstr("Will be started again by"),
                                 HasSubstr("Deployment shop/api-0, revision 7 as idle:1, container "
                                           "web"),
                                 HasSubstr("and 1 more")));
}

TEST(Page, ARefusedRunIsToldFirstAndNamesItsSource) {
  StatusView view = ViewOf(SampleReport());
  Report refused;
  refused.refused = Refusal{"pods", {ErrorKind::kDenied, "403 Forbidden"}};
  view.refused = std::make_shared<const Report>(refused);
  const auto page = Page(view);
  EXPECT_EQ(page->ById("state")->attributes.at("class"), "alarm");
  EXPECT_THAT(page->ById("state")->text, AllOf(HasSubstr("cannot read pods: 403 Forbidden"),
                                               HasSubstr("shows the last complete run, 60m ago")));
  const auto sources = Cells(*page->ById("sources")->All("table").at(0));
  EXPECT_THAT(sources, testing::Contains(ElementsAre("pods", "failed", "403 Forbidden")));
  EXPECT_THAT(sources, Not(testing::Contains(testing::Contains(HasSubstr("2 pods")))))
      << "what is old is not shown as good";
}

TEST(Page, ShowsUnknownInsteadOfEmptyBeforeTheFirstRun) {
  StatusView view;
  view.policy_problem = "line 3: unknown field";
  view.runs_problem = "the disk is full";
  const auto page = Page(view);
  EXPECT_THAT(page->ById("state")->text, HasSubstr("No run has evaluated the images yet"));
  EXPECT_EQ(page->ById("images")->text, "Not known yet.");
  EXPECT_EQ(page->ById("disk"), nullptr);
  EXPECT_THAT(page->ById("policy")->text, HasSubstr("line 3: unknown field"));
  EXPECT_THAT(page->ById("runs")->text, HasSubstr("the disk is full"));
}

// The parser fails on any unescaped < & " and any event handler.
TEST(Page, NoTextFromOutsideBecomesMarkup) {
  const auto tags = [](const Element& page) {
    std::map<std::string, int> count;
    for (const Element* element : page.All([](const Element&) { return true; }))
      ++count[element->tag];
    return count;
  };
  const auto build = [](const std::string& text) {
    StatusView view = ViewOf(ReportOf(text));
    view.version = view.runs_problem = text;
    view.checks = {{text, false, text}};
    view.policy = PolicyView{{text, text}, text, text, true, true, text, text};
    view.runs[0].entry.run = view.runs[0].entry.result = view.runs[0].entry.headline = text;
    Report refused = ReportOf(text);
    refused.refused = Refusal{text, {ErrorKind::kInternal, text}};
    view.refused = std::make_shared<const Report>(refused);
    return view;
  };
  const StatusView harmless = build("harmless");
  const std::vector<ExplainedStep> steps{{"harmless", true, true, "harmless"}};
  const auto status_tags = tags(*Page(harmless, "sort=name"));
  const auto image_tags =
      tags(*MarkupReader::Read(ImagePage(harmless, ImagePos(0), steps, "harmless")));
  for (const std::string& text : HostileTexts()) {
    SCOPED_TRACE(text);
    const StatusView view = build(text);
    EXPECT_EQ(tags(*Page(view, "sort=name")), status_tags);
    const std::vector<ExplainedStep> hostile{{text, true, true, text}};
    EXPECT_EQ(tags(*MarkupReader::Read(ImagePage(view, ImagePos(0), hostile, text))), image_tags);
    MarkupReader::Read(ImageChoicePage(view, ImagesAt(0, 1)));
    MarkupReader::Read(NothingPage(view, text));
    const auto searched = Page(view, "q=" + text);
    EXPECT_NE(searched->ById("find"), nullptr);
    if (HasFailure()) return;
  }
}

TEST(Page, LinksStayBelowThePageAndLoadNothing) {
  const auto page = Page(ViewOf(SampleReport()));
  for (const Element* link : page->All("a"))
    EXPECT_THAT(link->attributes.at("href"), testing::MatchesRegex("(\\./|#|image\\?|api/v1/).*"))
        << "it must work behind a proxy's prefix";
  for (const char* loads : {"img", "iframe", "object", "embed", "audio", "video"})
    EXPECT_THAT(page->All(loads), IsEmpty()) << loads;
  ASSERT_THAT(page->All("script"), SizeIs(1));
  ASSERT_THAT(page->All("style"), SizeIs(1));
  EXPECT_FALSE(page->All("script")[0]->attributes.contains("src"));
}

// The browser hashes the text between the tags.
TEST(Page, TheSecurityPolicyNamesExactlyTheStyleAndTheScriptOfThePage) {
  const auto page = Page(ViewOf(SampleReport()));
  const auto& headers = PageHeaders();
  const auto found = std::ranges::find(headers, "Content-Security-Policy",
                                       &std::pair<std::string, std::string>::first);
  ASSERT_NE(found, headers.end());
  const std::string& policy = found->second;
  EXPECT_THAT(policy, AllOf(testing::StartsWith("default-src 'none';"), Not(HasSubstr("unsafe")),
                            HasSubstr("frame-ancestors 'none'"), HasSubstr("base-uri 'none'")));
  for (const auto& [tag, directive] :
       {std::pair{"script", "script-src"}, std::pair{"style", "style-src"}}) {
    const std::string& text = page->All(tag).at(0)->text;
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    ASSERT_EQ(EVP_Digest(text.data(), text.size(), digest, &size, EVP_sha256(), nullptr), 1);
    unsigned char base64[64];
    const int length = EVP_EncodeBlock(base64, digest, static_cast<int>(size));
    const std::string hash(base64, base64 + length);
    EXPECT_THAT(policy, HasSubstr(std::string(directive) + " 'sha256-" + hash + "';"));
  }
}

TEST(Page, ExplainsOneImage) {
  const StatusView view = ViewOf(SampleReport());
  const std::vector<ExplainedStep> steps{{"InUse", true, true, "a pod uses it"},
                                         {"Pinned", false, false, "the runtime says no"}};
  const auto page =
      MarkupReader::Read(ImagePage(view, ImagePos(0), steps, "nothing while it is used"));
  const auto items = page->All([](const Element& one) {
    const auto found = one.attributes.find("class");
    return one.tag == "ol" && found != one.attributes.end() && found->second == "steps";
  });
  ASSERT_THAT(items, SizeIs(1));
  const auto lines = items[0]->All("li");
  ASSERT_THAT(lines, SizeIs(2));
  EXPECT_EQ(lines[0]->text, "InUse: decides. a pod uses it");
  EXPECT_EQ(lines[1]->text, "Pinned: no. the runtime says no");
  EXPECT_THAT(page->ById("main")->text,
              AllOf(HasSubstr("Keep (InUse)"), HasSubstr("Pod shop/api/web as app:2"),
                    HasSubstr("nothing while it is used"), HasSubstr("in use")));
}

TEST(Page, ThreeThousandImagesTakeLessThanAMegabyte) {
  Report report = SampleReport();
  const Observation one = report.observation;
  const Decision decision = report.plan.decisions[ImagePos(0)];
  report.observation.images.clear();
  report.observation.ages.clear();
  report.plan = {};
  for (std::uint32_t i = 0; i < 3000; ++i) {
    report.observation.images.push_back(Img(
        std::to_string(i), {"registry.example.com/team-" + std::to_string(i % 50) +
                            "/some-service-" + std::to_string(i) + ":v1.2." + std::to_string(i)}));
    report.observation.ages.push_back(one.ages[ImagePos(0)]);
    report.plan.decisions.push_back(decision);
    report.plan.decisions.back().image = ImagePos(i);
    report.plan.decisions.back().reason =
        "used by Pod namespace-of-some-team/some-service-7d9fbc6f9-x2x" + std::to_string(i);
  }
  report.outcomes.clear();
  const std::string page = StatusPage(ViewOf(report), "");
  EXPECT_LT(page.size(), 1'000'000U);
  EXPECT_THAT(Cells(*MarkupReader::Read(page)->ById("images")), SizeIs(3000));
}

TEST(Page, MoreImagesThanAPageHoldsAreCountedAndCut) {
  Report report = SampleReport();
  const Decision decision = report.plan.decisions[ImagePos(2)];
  for (std::uint32_t i = 3; i < 5000; ++i) {
    report.observation.images.push_back(Img(std::to_string(i), {"a:" + std::to_string(i)}));
    report.observation.ages.push_back(report.observation.ages[ImagePos(0)]);
    report.plan.decisions.push_back(decision);
    report.plan.decisions.back().image = ImagePos(i);
  }
  const auto page = Page(ViewOf(report));
  EXPECT_THAT(page->ById("count")->text,
              AllOf(HasSubstr("5000 of 5000 images"), HasSubstr("the first 4000 are shown")));
  EXPECT_THAT(Cells(*page->ById("images")), SizeIs(4000));
}

}  // namespace
}  // namespace imagesweep::web
