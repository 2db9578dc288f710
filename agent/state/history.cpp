#include "agent/state/history.h"

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <string_view>
#include <utility>
#include <variant>

#include "agent/base/quantity.h"
#include "agent/state/history_tables.h"
#include "agent/state/pack.h"
#include "agent/state/state_file.h"

namespace imagesweep {

namespace {

namespace fs = std::filesystem;

constexpr Millis kLeaveAlone = std::chrono::seconds(30);

struct Settled {
  std::string run;
  std::string image_id;
  bool removed = false;
};
using RemovalChange = std::variant<RemovalEntry, Settled>;

// Returns false if the entry to settle is missing.
bool Apply(const Database& db, const RemovalChange& change) {
  if (const auto* removal = std::get_if<RemovalEntry>(&change)) {
    PutRemoval(db, *removal);
    return true;
  }
  const auto& settled = std::get<Settled>(change);
  return SettleRemoval(db, settled.run, settled.image_id, settled.removed) || !settled.removed;
}

std::size_t TextBytes(const RemovalEntry& removal) {
  std::size_t bytes = removal.id.size() + removal.code.size() + removal.reason.size();
  for (const auto* list : {&removal.names, &removal.digests})
    for (const auto& text : *list) bytes += text.size();
  return bytes;
}

class DurableHistory final : public History {
 public:
  DurableHistory(fs::path directory, const Clock& clock)
      : directory_(std::move(directory)), clock_(clock) {
    if (keeps_nothing()) return;
    if (const auto opened = OpenFile(); !opened) warnings_.Add(opened.error().what);
  }

  Status BeginRemoval(const RemovalEntry& removal) override {
    if (keeps_nothing()) return Done{};
    if (TextBytes(removal) > kMaxRemovalBytes)
      return Error{ErrorKind::kInvalid, "history: the names of image " + removal.id + " take " +
                                            HumanBytes(TextBytes(removal)) + "; at most " +
                                            HumanBytes(kMaxRemovalBytes) + " are kept"};
    Wait(removal);
    if (together_) return Done{};
    return Write([](const Database&) {});
  }

  Status Commit(const std::string& run, const std::string& image_id, bool removed) override {
    if (keeps_nothing()) return Done{};
    Wait(Settled{run, image_id, removed});
    if (together_) return Done{};
    auto written = Write([](const Database&) {});
    if (written && last_is_missing_)
      return Error{ErrorKind::kNotFound,
                   "history: no entry for the removal of " + image_id + " by run " + run};
    return written;
  }

  Status InTransaction(const std::function<Status()>& changes) override {
    together_ = true;
    auto changed = changes();
    together_ = false;
    if (keeps_nothing() || waiting_.empty()) return changed;
    auto written = Write([](const Database&) {});
    return written ? std::move(changed) : std::move(written);
  }

  Status AddRun(const RunEntry& entry, int limit) override {
    if (keeps_nothing()) return Done{};
    if (entry.run.empty()) return Error{ErrorKind::kInvalid, "history: the run has no ID"};
    if (entry.report.size() > kMaxReportBytes)
      return Error{ErrorKind::kInvalid, "history: the report of run " + entry.run + " takes " +
                                            HumanBytes(entry.report.size()) + "; at most " +
                                            HumanBytes(kMaxReportBytes) + " are kept"};
    const std::string packed = Pack(entry.report);
    return Write([&](const Database& db) { PutRun(db, entry, packed, limit); });
  }

  Result<std::vector<RunEntry>> Runs() override {
    std::vector<RunEntry> runs;
    auto read = Read([&](const Database& db) { runs = ReadRuns(db); });
    if (!read) return std::move(read).error();
    return runs;
  }

  Result<std::optional<RunEntry>> Find(const std::string& run) override {
    std::vector<RunEntry> found;
    auto read = Read([&](const Database& db) { found = FindRuns(db, run); });
    if (!read) return std::move(read).error();
    if (found.empty()) return std::optional<RunEntry>();
    if (found.size() > 1)
      return Error{ErrorKind::kInvalid, "history: several run IDs begin with " + run};
    auto report = Unpack(found[0].report, kMaxReportBytes);
    if (!report)
      return Error{ErrorKind::kIncomplete,
                   "history: the report of run " + found[0].run + " is damaged"};
    found[0].report = *std::move(report);
    return std::optional(std::move(found[0]));
  }

  Result<std::vector<RemovalEntry>> Removals(const std::string& run) override {
    std::vector<RemovalEntry> removals;
    auto read = Read([&](const Database& db) { removals = ReadRemovals(db, run); });
    if (!read) return std::move(read).error();
    return removals;
  }

  std::vector<std::string> warnings() const override { return warnings_.lines(); }

 private:
  bool keeps_nothing() const { return directory_.empty(); }

  void Wait(RemovalChange change) {
    if (waiting_.size() >= kMaxRemovals) waiting_.pop_front();
    waiting_.push_back(std::move(change));
  }

  // Waiting changes come first, in the same transaction.
  Status Write(const std::function<void(const Database& db)>& change) {
    auto written = Use([&] {
      return file_->Write([&](const Database& db) {
        last_is_missing_ = false;
        for (const auto& waiting : waiting_) last_is_missing_ = !Apply(db, waiting);
        change(db);
      });
    });
    if (written) waiting_.clear();
    return written;
  }

  Status Read(const std::function<void(const Database& db)>& look) {
    if (keeps_nothing()) return Done{};
    return Use([&] { return file_->Read(look); });
  }

  // Tries again with the present file, because it may have been replaced or damaged.
  Status Use(const std::function<Status()>& work) {
    if (leave_alone_until_ && clock_.Steady() < *leave_alone_until_)
      return Error{ErrorKind::kDeadline, "history: another process holds the file"};
    leave_alone_until_.reset();
    auto done = file_ == nullptr ? OpenAnd(work) : work();
    if (!done && file_ != nullptr && done.error().kind != ErrorKind::kDeadline) {
      warnings_.Add(done.error().what);
      done = OpenAnd(work);
    }
    if (done) return done;
    file_.reset();
    if (done.error().kind == ErrorKind::kDeadline)
      leave_alone_until_ = clock_.Steady() + kLeaveAlone;
    return std::move(done).error().Wrap("history");
  }

  Status OpenAnd(const std::function<Status()>& work) {
    if (auto opened = OpenFile(); !opened) return opened;
    return work();
  }

  Status OpenFile() {
    file_.reset();
    auto opened = StateFile::Open(directory_, kHistoryFormat);
    if (!opened) return std::move(opened).error();
    if (!opened->note.empty()) warnings_.Add(opened->note);
    file_ = std::move(opened->file);
    return Done{};
  }

  const fs::path directory_;
  const Clock& clock_;
  std::unique_ptr<StateFile> file_;
  std::deque<RemovalChange> waiting_;  // not yet written, oldest first
  bool together_ = false;              // write them later in one transaction
  bool last_is_missing_ = false;       // the last of them settled a missing entry
  std::optional<SteadyTime> leave_alone_until_;
  Warnings warnings_;
};

}  // namespace

Result<bool> History::Exists(const fs::path& directory) {
  std::error_code code;
  if (!fs::is_directory(directory, code)) {
    const bool missing = !fs::exists(directory, code) && !code;
    return Error{missing ? ErrorKind::kNotFound : ErrorKind::kUnavailable,
                 directory.string() + (missing ? " does not exist"
                                       : code  ? ": " + code.message()
                                               : std::string(" is not a directory"))};
  }
  const bool found = fs::exists(directory / kHistoryFormat.name, code);
  if (code) return Error{ErrorKind::kUnavailable, directory.string() + ": " + code.message()};
  return found;
}

std::unique_ptr<History> History::Open(const fs::path& directory, const Clock& clock) {
  return std::make_unique<DurableHistory>(directory, clock);
}

namespace {

constexpr auto kWithin = std::chrono::hours(7 * 24);

struct Removed {
  const RemovalEntry* last = nullptr;
  int times = 0;
};

}  // namespace

std::vector<PulledAgain> FindPulledAgain(const std::vector<RemovalEntry>& removals,
                                         const std::vector<RunEntry>& runs, const Report& report) {
  if (report.refused) return {};
  std::map<std::string_view, Removed> by_id;
  for (const RemovalEntry& removal : removals) {
    if (!removal.done || removal.code == kUntagCode || removal.run == report.run ||
        removal.at > report.started || report.started - removal.at > kWithin)
      continue;
    Removed& removed = by_id[removal.id];
    if (removed.last == nullptr || removal.at > removed.last->at) removed.last = &removal;
    ++removed.times;
  }
  // The last run before this one that could see returned images.
  const auto before = std::ranges::find_if(
      runs, [&](const RunEntry& run) { return run.run != report.run && run.result != "error"; });
  std::vector<PulledAgain> found;
  const Observation& seen = report.observation;
  for (const ImagePos at : Positions(seen.images)) {
    const auto removed = by_id.find(seen.images[at].id.text());
    if (removed == by_id.end()) continue;
    const RemovalEntry& last = *removed->second.last;
    bool first_to_see = seen.ages[at].just_seen;
    // An image that returned before an observation without it was never new to the age store.
    if (before != runs.end())
      first_to_see = last.run == before->run || last.at >= before->finished ||
                     seen.ages[at].first_seen > before->finished;
    found.push_back({at, removed->second.times, last.code, first_to_see});
  }
  return found;
}

}  // namespace imagesweep
