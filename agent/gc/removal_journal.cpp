#include "agent/gc/removal_journal.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "agent/model/verdict_codes.h"
#include "agent/report/documents/json.h"
#include "agent/report/documents/text.h"
#include "agent/state/history.h"

namespace imagesweep {
namespace {

std::vector<std::string> Texts(const std::vector<ImageName>& names) {
  std::vector<std::string> texts;
  texts.reserve(names.size());
  for (const ImageName& name : names) texts.push_back(name.text());
  return texts;
}

// The problem itself, without the reporting component and its file name.
std::string TroubleIn(std::string text) {
  for (const std::string_view part : {"state: ", "history: ", "/history.db", "/ledger.db"})
    for (auto at = text.find(part); at != std::string::npos; at = text.find(part))
      text.erase(at, part.size());
  return text;
}

// One warning per problem: a directory that the history cannot use fails for the age store too.
void AddOnce(Report& report, std::string text) {
  if (text.starts_with("history: history: ")) text.erase(0, std::string_view("history: ").size());
  const std::string trouble = TroubleIn(text);
  for (std::string& known : report.warnings) {
    if (!TroubleIn(known).starts_with(trouble)) continue;
    if (known.ends_with("; ages are counted in memory")) known += ", and no history is kept";
    return;
  }
  report.warnings.push_back(std::move(text));
}

std::string Problem(const Error& error) {
  return "history: " + error.what;
}

void AddWarning(Report& report, const Error& error) {
  AddOnce(report, Problem(error));
}

void AddWarning(Report& report, const Status& status) {
  if (!status) AddWarning(report, status.error());
}

// The setting that would keep an image that was removed for this reason.
std::string_view SuggestPolicyChange(std::string_view code) {
  const VerdictCode* row = FindVerdictCode(code);
  // For a code of an older version, the setting that applies to most removals.
  return row != nullptr && !row->keep_longer.empty() ? row->keep_longer
                                                     : RowOf(Code::kSpace).keep_longer;
}

// An image that is removed and pulled again costs more than it frees.
void NotePulledAgain(Report& report, History& history) {
  const auto removals = history.Removals({});
  const auto runs = history.Runs();
  if (!removals) return AddWarning(report, removals.error());
  if (!runs) return AddWarning(report, runs.error());
  report.pulled_again = FindPulledAgain(*removals, *runs, report);
  for (const PulledAgain& again : report.pulled_again)
    if (again.times >= 2)
      report.warnings.push_back(
          ShownName(report.observation.images[again.image]) + " was removed and pulled again " +
          std::to_string(again.times) + " times within 7 days: " +
          std::string(SuggestPolicyChange(again.code)) + ", or add it to keep.images");
}

}  // namespace

RemovalJournal::RemovalJournal(History* history, std::string run, SystemTime started,
                               const ByImage<Image>& images, const ByImage<Decision>& decisions)
    : history_(history),
      run_(std::move(run)),
      started_(started),
      images_(images),
      decisions_(decisions) {}

void RemovalJournal::Note(const Status& status) {
  if (!status) problems_.push_back(Problem(status.error()));
}

Status RemovalJournal::BeginRemoval(ImagePos at) {
  const Image& image = images_[at];
  const Decision& decision = decisions_[at];
  RemovalEntry entry;
  entry.run = run_;
  entry.at = started_;
  entry.id = image.id.text();
  entry.names = Texts(image.tags);
  entry.digests = Texts(image.digests);
  entry.size_bytes = image.size_bytes;
  entry.code = ToString(decision.code);
  entry.reason = decision.reason;
  entry.origin = image.origin;
  begun_.insert(at);
  return history_->BeginRemoval(entry);
}

void RemovalJournal::BeginRemoval(const std::vector<ImagePos>& batch) {
  if (history_ == nullptr) return;
  Note(history_->InTransaction([&]() -> Status {
    for (const auto at : batch) Note(BeginRemoval(at));
    return Done{};
  }));
}

void RemovalJournal::Commit(const std::vector<Outcome>& outcomes) {
  if (history_ == nullptr) return;
  Note(history_->InTransaction([&]() -> Status {
    for (const Outcome& outcome : outcomes) {
      if (!begun_.contains(outcome.image)) continue;
      if (outcome.kind != OutcomeKind::kRemoved && outcome.kind != OutcomeKind::kSkipped) continue;
      const std::string& id = images_[outcome.image].id.text();
      Note(history_->Commit(run_, id, outcome.kind == OutcomeKind::kRemoved));
    }
    return Done{};
  }));
}

void RemovalJournal::Reconcile(const std::vector<Outcome>& outcomes,
                               const std::vector<Image>& listed) {
  if (history_ == nullptr) return;
  Note(history_->InTransaction([&]() -> Status {
    for (const Outcome& outcome : outcomes) {
      if (outcome.kind == OutcomeKind::kSkipped || !begun_.contains(outcome.image)) continue;
      const Image& image = images_[outcome.image];
      const auto now = std::ranges::find(listed, image.id, &Image::id);
      const bool gone = now == listed.end();
      if (outcome.kind == OutcomeKind::kRemoved && gone && outcome.detail.empty()) continue;
      if (gone || (now->tags == image.tags && now->digests == image.digests))
        Note(history_->Commit(run_, image.id.text(), gone));
    }
    return Done{};
  }));
}

void RecordRun(Report& report, const std::vector<std::string>& problems, History& history) {
  for (const std::string& problem : problems) AddOnce(report, problem);
  NotePulledAgain(report, history);
  RunEntry entry = RunEntryOf(report);
  entry.report = SweepJson(report);
  AddWarning(report, history.AddRun(entry, report.effective_policy.reporting.history_limit));
  for (const std::string& warning : history.warnings()) AddOnce(report, warning);
}

}  // namespace imagesweep
