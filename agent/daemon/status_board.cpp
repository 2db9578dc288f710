#include "agent/daemon/status_board.h"

#include <utility>

#include "agent/gc/plan/explain.h"
#include "agent/policy/render.h"
#include "agent/report/documents/history.h"
#include "agent/report/documents/json.h"
#include "agent/server/web/agent_status.h"
#include "agent/server/web/api.h"
#include "agent/server/web/frame.h"
#include "agent/server/web/image_page.h"
#include "agent/server/web/select.h"
#include "agent/server/web/status_page.h"

namespace imagesweep {
namespace {

constexpr std::size_t kMaxRuns = 20;
const char* const kJsonType = "application/json";

HttpReply PageReply(int status, std::string html) {
  return {status, "text/html; charset=utf-8", std::move(html), web::PageHeaders()};
}

HttpReply NotYet(const std::string& reason, const std::string& why) {
  return {503, kJsonType, web::ErrorJson(503, reason, why) + "\n"};
}

// The policy as the last run applied it, if it is unchanged: only a run knows the matching
// override.
web::PolicyView PolicyViewOf(const ActivePolicy& active, const Report* report,
                             std::string problem) {
  const bool followed = report != nullptr && report->policy.sha256 == active.source.sha256 &&
                        report->policy.description == active.source.description;
  const Policy& policy = followed ? report->effective_policy : active.policy;
  web::PolicyView view;
  view.source = active.source;
  view.profile = ToString(policy.profile);
  if (followed) view.matched_override = report->matched_override;
  view.dry_run = policy.dry_run;
  view.suspend = policy.suspend;
  view.text = PolicyYaml(policy);
  view.problem = std::move(problem);
  return view;
}

}  // namespace

StatusBoard::StatusBoard(const Clock& clock, const Health& health, const PolicyStore& policies,
                         std::string version, std::string node, bool force_dry_run)
    : clock_(clock),
      health_(health),
      policies_(policies),
      version_(std::move(version)),
      node_(std::move(node)),
      force_dry_run_(force_dry_run) {}

void StatusBoard::SetRun(std::shared_ptr<const Report> report) {
  state_.With([&](Published& state) {
    state.refused = report->refused ? report : nullptr;
    if (web::Decided(*report)) state.report = std::move(report);
    return 0;
  });
}

void StatusBoard::SetHistory(History& history, bool details) {
  auto runs = history.Runs();
  std::vector<web::RunRow> rows;
  std::map<std::string, web::RunRow> known;
  if (runs && runs->size() > kMaxRuns) runs->resize(kMaxRuns);
  for (std::size_t i = 0; runs && i < runs->size(); ++i) {
    RunEntry& entry = (*runs)[i];
    web::RunRow row{entry, {}, {}};
    if (const auto found = known_.find(entry.run); found != known_.end()) {
      row = found->second;
      known.emplace(entry.run, row);
    } else if (details) {
      // A run that cannot be read is shown without before and after.
      if (auto whole = history.Find(entry.run); whole && *whole)
        row = web::RunRowOf(*std::move(*whole));
      known.emplace(entry.run, row);
    }
    rows.push_back(std::move(row));
  }
  known_ = std::move(known);
  state_.With([&](Published& state) {
    state.runs_problem = runs ? std::string() : runs.error().what;
    state.runs = std::move(rows);
    return 0;
  });
}

std::map<std::string, HttpServer::Route> StatusBoard::Routes(bool local_only) const {
  const auto json = [this, local_only](std::string (*render)(const Report&)) {
    return HttpServer::Route([this, render](const std::string&) { return Json(render); },
                             local_only);
  };
  return {
      {"/", {[this](const std::string& query) { return Page(query); }, local_only}},
      {"/image", {[this](const std::string& query) { return OneImage(query); }, local_only}},
      {"/api/v1/images", json(ImagesJson)},
      {"/api/v1/plan", json(PlanJson)},
      {"/api/v1/runs", {[this](const std::string&) { return Runs(); }, local_only}},
      {"/api/v1/policy", {[this](const std::string&) { return PolicyInForce(); }, local_only}},
      {"/api/v1/status", {[this](const std::string&) { return StatusOfAgent(); }, local_only}},
  };
}

web::StatusView StatusBoard::View() const {
  web::StatusView view;
  view.now = clock_.Now();
  view.version = version_;
  view.node = node_;
  Published state = state_.With([](const Published& now) { return now; });
  view.report = std::move(state.report);
  view.refused = std::move(state.refused);
  view.runs = std::move(state.runs);
  view.runs_problem = std::move(state.runs_problem);
  for (Health::Check& check : health_.Checks())
    view.checks.push_back({std::move(check.name), check.ok, std::move(check.text)});
  view.alive = health_.Alive();
  const Health::Schedule schedule = health_.NextRun();
  view.running = schedule.running;
  view.next_run = schedule.next;
  view.force_dry_run = force_dry_run_;
  const auto active = policies_.Active();
  view.policy_problem = policies_.Problem();
  if (active) view.policy = PolicyViewOf(*active, view.report.get(), view.policy_problem);
  return view;
}

HttpReply StatusBoard::Page(const std::string& query) const {
  return PageReply(200, web::StatusPage(View(), query));
}

HttpReply StatusBoard::OneImage(const std::string& query) const {
  const web::StatusView view = View();
  if (!view.report) return PageReply(503, web::NothingPage(view, web::WhyNoRun(view)));
  const Report& report = *view.report;
  const auto found = web::FindImages(report, query);
  if (found.empty())
    return PageReply(404, web::NothingPage(view, "The last run found no such image on this node."));
  if (found.size() > 1) return PageReply(200, web::ImageChoicePage(view, found));
  const PlanContext context(report.effective_policy, report.observation);
  const Explanation explanation = Explain(context, report.plan, found.front());
  std::vector<ExplainedStep> steps;
  for (const Step& step : explanation.steps)
    steps.push_back({std::string(ToString(step.code)), step.applies, step.decides, step.evidence});
  return PageReply(200,
                   web::ImagePage(view, found.front(), steps, explanation.what_would_change_it));
}

HttpReply StatusBoard::Json(std::string (*render)(const Report&)) const {
  const auto report = state_.With([](const Published& state) { return state.report; });
  if (!report) return NotYet("NoRunYet", web::WhyNoRun(View()));
  return {200, kJsonType, render(*report) + "\n"};
}

HttpReply StatusBoard::Runs() const {
  const Published state = state_.With([](const Published& now) { return now; });
  if (!state.runs_problem.empty()) return NotYet("HistoryUnreadable", state.runs_problem);
  std::vector<RunEntry> entries;
  entries.reserve(state.runs.size());
  for (const web::RunRow& row : state.runs) entries.push_back(row.entry);
  return {200, kJsonType, HistoryJson(entries) + "\n"};
}

HttpReply StatusBoard::PolicyInForce() const {
  const web::StatusView view = View();
  if (!view.policy)
    return NotYet("NoPolicy",
                  view.policy_problem.empty() ? "no policy was loaded yet" : view.policy_problem);
  return {200, kJsonType, web::PolicyJson(*view.policy) + "\n"};
}

HttpReply StatusBoard::StatusOfAgent() const {
  return {200, kJsonType, AgentStatusJson(web::AgentStatusOf(View())) + "\n"};
}

}  // namespace imagesweep
