#include "agent/app/run_record.h"

#include <algorithm>
#include <utility>

#include "agent/report/json.h"
#include "agent/report/text.h"

namespace imagesweep {
namespace {

std::vector<std::string> Texts(const std::vector<ImageName>& names) {
  std::vector<std::string> texts;
  texts.reserve(names.size());
  for (const ImageName& name : names) texts.push_back(name.text());
  return texts;
}

void AddWarning(Report& report, const Status& status) {
  if (status) return;
  std::string text = "history: " + status.error().what;
  if (std::ranges::find(report.warnings, text) == report.warnings.end())
    report.warnings.push_back(std::move(text));
}

std::string ResultOf(const Report& report) {
  if (report.refused) return "error";
  if (report.Count(OutcomeKind::kFailed) + report.Count(OutcomeKind::kStillListed) > 0)
    return "partial";
  return report.outcomes.empty() ? "noop" : "success";
}

}  // namespace

void RemovalJournal::Intend(std::uint32_t at) {
  if (history_ == nullptr) return;
  const Image& image = report_.observation.images[at];
  const Decision& decision = report_.plan.decisions[at];
  RemovalEntry entry;
  entry.run = report_.run;
  entry.at = report_.started;
  entry.id = image.id.text();
  entry.names = Texts(image.tags);
  entry.digests = Texts(image.digests);
  entry.size_bytes = image.size_bytes;
  entry.code = ToString(decision.code);
  entry.reason = decision.reason;
  intended_.insert(at);
  AddWarning(report_, history_->Intend(entry));
}

void RemovalJournal::Settle(const Outcome& outcome) {
  if (history_ == nullptr || !intended_.contains(outcome.image)) return;
  const std::string& id = report_.observation.images[outcome.image].id.text();
  AddWarning(report_, history_->Settle(report_.run, id, outcome.kind == OutcomeKind::kRemoved));
}

void KeepRun(Report& report, History& history) {
  RunEntry entry;
  entry.run = report.run;
  entry.started = report.started;
  entry.finished = report.finished;
  entry.dry_run = report.dry_run;
  entry.result = ResultOf(report);
  entry.headline = Summary(report);
  for (const Outcome& outcome : report.outcomes) {
    if (outcome.kind != OutcomeKind::kRemoved && outcome.kind != OutcomeKind::kWouldRemove)
      continue;
    ++entry.removed;
    entry.bytes += report.observation.images[outcome.image].size_bytes;
  }
  entry.report = SweepJson(report);
  AddWarning(report, history.AddRun(entry, report.in_force.reporting.history_limit));
  for (const std::string& warning : history.warnings())
    if (std::ranges::find(report.warnings, warning) == report.warnings.end())
      report.warnings.push_back(warning);
}

}  // namespace imagesweep
