#include "agent/report/documents/sweep_page.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <vector>

#include "agent/report/documents/document.h"
#include "agent/report/documents/json.h"
#include "agent/report/documents/sweep_builds.h"
#include "agent/report/documents/sweep_effect.h"
#include "agent/report/documents/sweep_images.h"
#include "agent/report/documents/text.h"
#include "agent/report/render/page.h"

namespace imagesweep {
namespace {

using namespace document;

std::string StatusOf(const SweepDocument& sweep) {
  const Json& report = sweep.report;
  std::string status = "complete";
  if (const Json& refused = At(report, "refused"); !refused.is_null())
    status = "aborted: " + CannotRead(Text(refused, "source")) + ": " + Text(refused, "error");
  else if (!sweep.stayed.empty())
    status = "partial: " + Count(sweep.stayed.size(), "image") + " stayed";
  else if (!Text(report, "stoppedEarly").empty())
    status = "stopped early: " + Text(report, "stoppedEarly");
  return sweep.dry_run ? "dry run, no image was removed (" + status + ")" : status;
}

Page::Section Objective(const Json& report) {
  const Json& policy = At(report, "policy");
  std::string text = "Remove images that nothing needs, by the policy from " +
                     Text(policy, "source") + " (profile " + Text(policy, "profile") + ").";
  const Json& evidence = At(report, "evidence");
  const auto counted = [&evidence](const char* source, const char* noun) {
    return Count(static_cast<std::size_t>(Number(At(evidence, source), "count")), noun);
  };
  if (Text(At(report, "runtime"), "name").empty())
    return SectionOf("Objective",
                     Page::Paragraph{text + " The evidence of use could not be read."});
  text += " Evidence of use: ";
  if (!Flag(evidence, "withoutKubernetes")) text += counted("pods", "pod") + " and ";
  text += counted("containers", "container") + " of this node, on " +
          Text(At(report, "runtime"), "name") + " " + Text(At(report, "runtime"), "version") + ".";
  if (Flag(evidence, "withoutKubernetes"))
    text +=
        " Without Kubernetes, images that pods need but no container uses yet are not detected.";
  return SectionOf("Objective", Page::Paragraph{text});
}

std::optional<Page::Section> List(const char* title, const Json& items) {
  auto texts = Texts(items);
  if (texts.empty()) return std::nullopt;
  return SectionOf(title, Page::Bullets{std::move(texts)});
}

std::optional<Page::Section> PolicyFollowed(const Json& report) {
  const std::string policy = Text(report, "policyText");
  if (policy.empty()) return std::nullopt;
  return SectionOf("Policy followed", Page::Code{"yaml", policy});
}

void Add(Page& page, std::optional<Page::Section> section) {
  if (section) page.sections.push_back(*std::move(section));
}

void Add(Page& page, std::vector<Page::Section> sections) {
  std::ranges::move(sections, std::back_inserter(page.sections));
}

}  // namespace

Result<Page> MakeSweepPage(const std::string& sweep_report, bool full) {
  const Json report = Json::parse(sweep_report, nullptr, false);
  if (!report.is_object() || Text(report, "kind") != "SweepReport")
    return Error{ErrorKind::kInvalid, "this is not a document of kind SweepReport"};
  const SweepDocument sweep(report, full);
  const std::string node = Text(report, "node");
  Page page;
  page.title = "Image sweep of " + (node.empty() ? "this node" : node);
  page.head.emplace_back(
      Page::Bullets{{"Date: " + Text(report, "startedAt"), "Run: " + Text(report, "run"),
                     "Status: " + StatusOf(sweep)}});
  Add(page, Objective(report));
  Add(page, sweep_page::Rounds(sweep));
  Add(page, sweep_page::Retained(sweep));
  Add(page, sweep_page::DiskSpace(sweep));
  Add(page, sweep_page::Verification(sweep));
  Add(page, sweep_page::Versions(sweep));
  Add(page, sweep_page::GettingImagesBack(sweep, /*with_pulls=*/full));
  Add(page, sweep_page::BuildingImagesAgain(sweep, /*with_steps=*/full));
  Add(page, sweep_page::OverSizeLimit(sweep));
  Add(page, sweep_page::Cost(sweep));
  Add(page, sweep_page::NotRemoved(sweep));
  Add(page, List("Advice", At(report, "advice")));
  Add(page, List("Warnings", At(report, "warnings")));
  if (full) Add(page, PolicyFollowed(report));
  return page;
}

Page MakePlanPage(const Report& plan) {
  Report dry_run = plan;
  dry_run.dry_run = true;
  dry_run.outcomes.clear();
  for (const auto at : plan.plan.removals)
    dry_run.outcomes.push_back({at, OutcomeKind::kWouldRemove, {}});
  const Json report = Json::parse(SweepJson(dry_run), nullptr, false);
  const SweepDocument sweep(report, /*full_names=*/true);
  Page page;
  page.title = "Image plan of " + (plan.node.empty() ? "this node" : plan.node);
  page.head.emplace_back(
      Page::Bullets{{"Date: " + Text(report, "startedAt"), "Status: plan, no image was removed",
                     "To remove: " + Count(sweep.went.size(), "image") + ", " +
                         Bytes(sweep.SizeOfWent()) + " as the runtime counts sizes"}});
  Add(page, Objective(report));
  Add(page, sweep_page::Rounds(sweep));
  Add(page, sweep_page::Retained(sweep));
  Add(page, sweep_page::Versions(sweep));
  Add(page, sweep_page::BuildingImagesAgain(sweep, /*with_steps=*/true));
  Add(page, sweep_page::OverSizeLimit(sweep));
  Add(page, List("Advice", At(report, "advice")));
  Add(page, List("Warnings", At(report, "warnings")));
  Add(page, PolicyFollowed(report));
  return page;
}

}  // namespace imagesweep
