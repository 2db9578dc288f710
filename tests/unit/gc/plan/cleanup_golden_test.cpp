#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "agent/base/quantity.h"
#include "agent/gc/plan/planner.h"
#include "agent/policy/parse.h"
#include "agent/report/documents/json.h"
#include "agent/report/documents/sweep_page.h"
#include "tests/support/observation.h"

// A development node whose services were built several times. One round removes images that a
// greater version of the same scheme has replaced, and another round removes two old projects.
// Running images stay, and so does "v2" beside "latest": nothing shows which of the two is newer.

namespace imagesweep {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using testing::UnorderedElementsAre;
using Row = std::vector<std::string>;

constexpr std::uint64_t kMB = 1'000'000;
constexpr const char* kLibrary = "docker.io/library/";

constexpr const char* kTwoRounds = R"(apiVersion: imagesweep/v1alpha1
kind: SweepPolicy
dryRun: false
minimumAge: 1h
maximumAge: 0s
keep: {lastPerRepository: 1, localOnly: Never}
rules:
- {name: old-projects, action: Remove, selector: {images: [bilali/todo-backend, "fastapt-task:dev"]}}
limits: {maxPercentOfImages: 100}
)";

// Built on the node: no registry has it.
Image Built(std::initializer_list<std::string_view> tags, std::uint64_t megabytes) {
  Image image = Img(*tags.begin(), tags, megabytes * kMB);
  MakeLocal(image);
  return image;
}

struct ServiceCleanup : testing::Test {
  ServiceCleanup() {
    seen.Add(Built({"audit-service:v2-idempotency"}, 501));
    seen.Add(Built({"backend-api:latest", "backend-api:v2-idempotency"}, 705));
    seen.Add(Built({"mcp-server:latest"}, 719));
    seen.Add(Built({"notification-service:v2"}, 508));
    seen.Add(Built({"recurring-task-service:v2"}, 503));
    seen.Add(Built({"bilali/todo-backend:latest"}, 705));
    seen.Add(Built({"fastapt-task:dev"}, 585));
    Deployed("audit-service:v3-idempotency-fixed", 501);
    Deployed("backend-api:v3-idempotency-fixed", 705);
    Deployed("frontend:latest", 299);
    Deployed("mcp-server:v2-idempotency", 720);
    Deployed("notification-service:latest", 351);
    Deployed("recurring-task-service:latest", 348);
    Deployed("websocket-service:latest", 351);
    policy = *ParsePolicy(kTwoRounds);
    plan = MakePlan(policy, seen.seen());
  }

  // With one pod, which has the name of the service.
  void Deployed(const std::string& tag, std::uint64_t megabytes) {
    seen.Add(Built({tag}, megabytes));
    const std::string service = tag.substr(0, tag.find(':'));
    seen.Use(tag, {ImageUserKind::kPod, "todo", service, service});
  }

  const Decision& Of(const std::string& tag) {
    const auto name = ImageName::Parse(tag);
    for (const Decision& decision : plan.decisions)
      for (const ImageName& its : images()[decision.image].tags)
        if (its == name) return decision;
    throw std::out_of_range(tag);
  }

  // The report of a run that removed everything planned.
  Report Done() {
    Report report;
    report.run = "0123456789abcdef";
    report.node = "minikube";
    report.dry_run = false;
    report.effective_policy = policy;
    report.observation = seen.seen();
    report.plan = plan;
    report.before = NodeTotals{images().size(), 0, 0, std::nullopt};
    report.after = NodeTotals{images().size() - plan.removals.size(), 0, 0, std::nullopt};
    for (const Image& image : images()) report.before->bytes += image.size_bytes;
    report.after->bytes = report.before->bytes;
    for (const auto at : plan.removals) {
      report.outcomes.push_back({at, OutcomeKind::kRemoved, {}});
      report.after->bytes -= images()[at].size_bytes;
    }
    report.referenced_images = 7;
    report.evidence.unfinished_pods = report.evidence.ready_pods = 7;
    report.evidence.ready_pods_after = 7;
    return report;
  }

  const ByImage<Image>& images() { return seen.seen().images; }

  ObservationBuilder seen;
  Policy policy;
  Plan plan;
};

// The sections of the page by title: the rows of a table, and every other block as one row.
std::map<std::string, std::vector<Row>> SectionsOf(const Page& page) {
  std::map<std::string, std::vector<Row>> sections;
  for (const Page::Section& section : page.sections) {
    std::vector<Row>& rows = sections[section.title];
    for (const Page::Block& block : section.blocks) {
      if (const auto* grid = std::get_if<Page::Grid>(&block))
        rows.insert(rows.end(), grid->rows.begin(), grid->rows.end());
      if (const auto* text = std::get_if<Page::Paragraph>(&block)) rows.push_back({text->text});
      if (const auto* list = std::get_if<Page::Bullets>(&block)) rows.push_back(list->items);
    }
  }
  return sections;
}

Row Line(const std::string& repository, const std::string& tag, std::uint64_t megabytes,
         const std::string& last) {
  return {repository, tag, HumanBytes(megabytes * kMB), last};
}

TEST_F(ServiceCleanup, RemovesOnlyOldVersionsAndOldProjects) {
  std::set<std::string> gone;
  for (const auto at : plan.removals)
    for (const ImageName& tag : images()[at].tags) gone.insert(tag.text());
  const std::set<std::string> expected = {
      "docker.io/library/audit-service:v2-idempotency", "docker.io/library/backend-api:latest",
      "docker.io/library/backend-api:v2-idempotency", "docker.io/bilali/todo-backend:latest",
      "docker.io/library/fastapt-task:dev"};
  EXPECT_EQ(gone, expected);
  for (const ImagePos at : Positions(images()) | std::views::drop(7))
    EXPECT_EQ(plan.decisions[at].code, Code::kInUse) << images()[at].display_name();
}

TEST_F(ServiceCleanup, EachOldVersionNamesTheDeployedOneThatReplacedIt) {
  const std::pair<const char*, const char*> replaced[] = {
      {"audit-service:v2-idempotency", "audit-service:v3-idempotency-fixed"},
      {"backend-api:v2-idempotency", "backend-api:v3-idempotency-fixed"}};
  for (const auto& [old, by] : replaced) {
    EXPECT_EQ(Of(old).code, Code::kSuperseded) << old << ": " << Of(old).reason;
    EXPECT_EQ(Of(old).superseded_by, kLibrary + std::string(by)) << old;
  }
  EXPECT_EQ(Of("audit-service:v2-idempotency").reason,
            "replaced by docker.io/library/audit-service:v3-idempotency-fixed: 2nd newest of "
            "docker.io/library/audit-service in scheme v<number>-idempotency…; the newest is kept "
            "(removeSuperseded)");
}

TEST_F(ServiceCleanup, KeepsTagsWithoutAnOrder) {
  for (const char* stays :
       {"mcp-server:latest", "notification-service:v2", "recurring-task-service:v2"})
    EXPECT_EQ(Of(stays).code, Code::kRetained) << stays << ": " << Of(stays).reason;
}

TEST_F(ServiceCleanup, ReportsTheTagWithAVersionWhenAnImageHasTwo) {
  const Decision& backend = Of("backend-api:latest");
  EXPECT_EQ(images()[backend.image].tags[backend.main_tag].tag(), "v2-idempotency");
  EXPECT_EQ(backend.superseded_by, "docker.io/library/backend-api:v3-idempotency-fixed");
}

TEST_F(ServiceCleanup, RemovesOldProjectsByTheRuleThatNamesThem) {
  for (const char* old : {"bilali/todo-backend:latest", "fastapt-task:dev"}) {
    EXPECT_EQ(Of(old).code, Code::kRule) << Of(old).reason;
    EXPECT_EQ(Of(old).rule, "old-projects");
  }
}

TEST_F(ServiceCleanup, KeepsLocalOnlyImagesUnlessThePolicyAllowsRemoval) {
  policy.keep.local_only = LocalOnly::kAlways;
  EXPECT_TRUE(MakePlan(policy, seen.seen()).removals.empty());
  policy.keep.local_only = LocalOnly::kUnlessSuperseded;
  plan = MakePlan(policy, seen.seen());
  EXPECT_EQ(plan.removals.size(), 2U) << "the first round";
  EXPECT_EQ(Of("fastapt-task:dev").code, Code::kLocalOnly) << "no newer version of it here";
}

TEST_F(ServiceCleanup, TheReportTellsBothRoundsWithEachTagsReason) {
  const auto page = MakeSweepPage(SweepJson(Done()));
  ASSERT_TRUE(page);
  auto sections = SectionsOf(*page);
  std::vector<Row>& first = sections["Removed, round 1: Superseded"];
  ASSERT_FALSE(first.empty());
  EXPECT_THAT(first.back().at(0), StartsWith("2 images, " + HumanBytes(1206 * kMB)));
  first.pop_back();
  const std::string library = kLibrary;
  EXPECT_THAT(first, UnorderedElementsAre(Line(library + "audit-service", "v2-idempotency", 501,
                                               "Replaced by v3-idempotency-fixed"),
                                          Line(library + "backend-api", "latest", 705,
                                               "Same as v2-idempotency (duplicate tag)"),
                                          Line(library + "backend-api", "v2-idempotency", 705,
                                               "Replaced by v3-idempotency-fixed")));
  std::vector<Row>& second = sections["Removed, round 2: rule \"old-projects\""];
  ASSERT_EQ(second.size(), 3U);
  EXPECT_THAT(second.back().at(0), StartsWith("2 images, " + HumanBytes(1290 * kMB)));
  EXPECT_EQ(Row(second[0].begin(), second[0].end() - 1),
            (Row{"docker.io/bilali/todo-backend", "latest", HumanBytes(705 * kMB)}));
  EXPECT_EQ(Row(second[1].begin(), second[1].end() - 1),
            (Row{library + "fastapt-task", "dev", HumanBytes(585 * kMB)}));
  for (std::size_t i : {0, 1})
    EXPECT_THAT(second[i].back(), HasSubstr("rule \"old-projects\" removes it"));
}

TEST_F(ServiceCleanup, TheReportMapsEachServiceToItsDeployedAndItsRemovedTags) {
  const auto page = MakeSweepPage(SweepJson(Done()));
  ASSERT_TRUE(page);
  const std::string library = kLibrary;
  const std::string none = "(none)";
  EXPECT_THAT(
      SectionsOf(*page)["Versions"],
      UnorderedElementsAre(
          Row{library + "audit-service", "v3-idempotency-fixed", none, "v2-idempotency"},
          Row{library + "backend-api", "v3-idempotency-fixed", none, "latest, v2-idempotency"},
          Row{library + "frontend", "latest", none, none},
          Row{library + "mcp-server", "v2-idempotency", "latest", none},
          Row{library + "notification-service", "latest", "v2", none},
          Row{library + "recurring-task-service", "latest", "v2", none},
          Row{library + "websocket-service", "latest", none, none},
          Row{"docker.io/bilali/todo-backend", none, none, "latest"},
          Row{library + "fastapt-task", none, none, "dev"}));
}

TEST_F(ServiceCleanup, ShowsPodsFreedSpaceAndVerificationInTheReport) {
  const auto page = MakeSweepPage(SweepJson(Done()));
  ASSERT_TRUE(page);
  auto sections = SectionsOf(*page);
  const std::string library = kLibrary;
  EXPECT_THAT(
      sections["Retained: in use"],
      UnorderedElementsAre(
          Line(library + "audit-service", "v3-idempotency-fixed", 501, "todo/audit-service"),
          Line(library + "backend-api", "v3-idempotency-fixed", 705, "todo/backend-api"),
          Line(library + "frontend", "latest", 299, "todo/frontend"),
          Line(library + "mcp-server", "v2-idempotency", 720, "todo/mcp-server"),
          Line(library + "notification-service", "latest", 351, "todo/notification-service"),
          Line(library + "recurring-task-service", "latest", 348, "todo/recurring-task-service"),
          Line(library + "websocket-service", "latest", 351, "todo/websocket-service")));
  EXPECT_EQ(sections["Retained: not in use"].size(), 3U);
  EXPECT_THAT(sections["Disk space"], Contains(Row{"Images", "14", "10"}));
  EXPECT_THAT(sections["Disk space"].back().at(0), HasSubstr(HumanBytes(2496 * kMB)));
  EXPECT_EQ(sections["Verification"].at(0),
            (Row{"All 7 referenced images are present.", "Pods ready before: 7 of 7, after: 7."}));
  EXPECT_THAT(ToMarkdown(*page), Not(HasSubstr("MISSING")));
}

}  // namespace
}  // namespace imagesweep
