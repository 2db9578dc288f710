#include "agent/state/history_tables.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <limits>
#include <utility>

namespace imagesweep {
namespace {

using Nanos = std::chrono::nanoseconds;

// The packed reports.  With at most kMaxRemovals short rows, the file stays far below the size that
// counts as damaged.
constexpr std::int64_t kMaxReportsBytes = 24LL * 1024 * 1024;
constexpr std::int64_t kMaxRemovalsBytes = 8LL * 1024 * 1024;
// All stored entries together stay below the limit if each has at most this size.
constexpr std::size_t kShortRemoval = kMaxRemovalsBytes / History::kMaxRemovals;

// The large column comes last, so that SQLite reads the others without it.
constexpr const char* kSchema =
    "CREATE TABLE run ("
    " seq INTEGER PRIMARY KEY,"
    " run TEXT NOT NULL UNIQUE,"
    " started_ns INTEGER NOT NULL,"
    " finished_ns INTEGER NOT NULL,"
    " dry_run INTEGER NOT NULL CHECK (dry_run IN (0, 1)),"
    " result TEXT NOT NULL,"
    " headline TEXT NOT NULL,"
    " removed INTEGER NOT NULL CHECK (removed >= 0),"
    " bytes INTEGER NOT NULL CHECK (bytes >= 0),"
    " times INTEGER NOT NULL CHECK (times BETWEEN 1 AND 2147483647),"
    " report BLOB NOT NULL"
    ") STRICT;"
    "CREATE TABLE removal ("
    " seq INTEGER PRIMARY KEY,"
    " run TEXT NOT NULL,"
    " image TEXT NOT NULL,"
    " at_ns INTEGER NOT NULL,"
    " done INTEGER NOT NULL CHECK (done IN (0, 1)),"
    " size_bytes INTEGER NOT NULL CHECK (size_bytes >= 0),"
    " code TEXT NOT NULL,"
    " reason TEXT NOT NULL,"
    " names TEXT NOT NULL,"
    " digests TEXT NOT NULL,"
    " origin TEXT NOT NULL DEFAULT '',"
    " origin_evidence TEXT NOT NULL DEFAULT '',"
    " pull_by TEXT NOT NULL DEFAULT '',"
    " UNIQUE (run, image)"
    ") STRICT;";

constexpr std::array kUpgrades{
    "ALTER TABLE removal ADD COLUMN origin TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE removal ADD COLUMN origin_evidence TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE removal ADD COLUMN pull_by TEXT NOT NULL DEFAULT '';"};

constexpr const char* kRunColumns =
    "SELECT run, started_ns, finished_ns, dry_run, result, headline, removed, bytes, times";

std::int64_t CountOf(SystemTime time) {
  return std::chrono::duration_cast<Nanos>(time.time_since_epoch()).count();
}

SystemTime Time(const Statement& row, int column) {
  return SystemTime(std::chrono::duration_cast<SystemTime::duration>(Nanos(row.Integer(column))));
}

// SQLite's integers are signed.
std::int64_t Signed(std::uint64_t value) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max();
  return static_cast<std::int64_t>(std::min(value, kMost));
}

// One per line.  A name with a line break cannot be pulled, so it is left out.
std::string Join(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) {
    if (word.empty() || word.find('\n') != std::string::npos) continue;
    if (!text.empty()) text += '\n';
    text += word;
  }
  return text;
}

std::vector<std::string> Split(const std::string& text) {
  std::vector<std::string> words;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    words.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return words;
}

// Unknown for entries of older versions.
OriginKind OriginKindOf(const std::string& text) {
  for (const OriginKind kind : {OriginKind::kLocal, OriginKind::kPulled, OriginKind::kRegistry})
    if (text == ToString(kind)) return kind;
  return OriginKind::kUnknown;
}

RunEntry ReadRun(const Statement& row) {
  RunEntry entry;
  entry.run = row.Text(0);
  entry.started = Time(row, 1);
  entry.finished = Time(row, 2);
  entry.dry_run = row.Integer(3) != 0;
  entry.result = row.Text(4);
  entry.headline = row.Text(5);
  entry.removed = static_cast<std::size_t>(row.Integer(6));
  entry.bytes = static_cast<std::uint64_t>(row.Integer(7));
  entry.times = static_cast<int>(row.Integer(8));
  return entry;
}

// Deletes a preceding "noop" and returns the number of runs that the new one stands for.
std::int64_t TakePlace(const Database& db, const RunEntry& entry) {
  const std::int64_t times = std::max(entry.times, 1);
  if (entry.result != "noop") return times;
  Statement newest(db, "SELECT seq, result, dry_run, times FROM run ORDER BY seq DESC LIMIT 1");
  if (!newest.Step() || newest.Text(1) != "noop" || (newest.Integer(2) != 0) != entry.dry_run)
    return times;
  const std::int64_t seq = newest.Integer(0);
  const std::int64_t before = newest.Integer(3);
  Statement(db, "DELETE FROM run WHERE seq = ?").Bind(1, seq).Execute();
  constexpr std::int64_t kMost = std::numeric_limits<int>::max();
  return std::min(times + before, kMost);
}

// Removes the oldest runs until the packed reports take at most `most` bytes.
void ShrinkRuns(const Database& db, std::int64_t most) {
  Statement(db,
            "DELETE FROM run WHERE seq <= (SELECT max(seq) FROM (SELECT seq, sum(length(report)) "
            "OVER (ORDER BY seq DESC) AS total FROM run) WHERE total > ?)")
      .Bind(1, most)
      .Execute();
}

void ShrinkRemovals(const Database& db) {
  Statement(db,
            "DELETE FROM removal WHERE seq <= (SELECT seq FROM removal ORDER BY seq DESC LIMIT 1 "
            "OFFSET ?)")
      .Bind(1, static_cast<std::int64_t>(History::kMaxRemovals))
      .Execute();
}

// For nodes whose images have very many names.
void ShrinkRemovalsBySize(const Database& db) {
  Statement(db,
            "DELETE FROM removal WHERE seq <= (SELECT max(seq) FROM (SELECT seq, sum(length(names) "
            "+ length(digests) + length(reason) + length(origin_evidence) + length(pull_by)) OVER "
            "(ORDER BY seq DESC) AS total FROM removal) "
            "WHERE total > ?)")
      .Bind(1, kMaxRemovalsBytes)
      .Execute();
}

void RequireTables(const Database& db) {
  if (db.Number("SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name IN "
                "('run', 'removal')") != 2)
    ThrowDamage("tables are missing");
}

}  // namespace

constinit const StateFormat kHistoryFormat{
    .name = "history.db",
    .application_id = 0x494D5348,  // "IMSH"
    .version = 2,
    .schema = kSchema,
    .upgrades = kUpgrades,
    .check = RequireTables,
};

void PutRemoval(const Database& db, const RemovalEntry& removal) {
  const std::string names = Join(removal.names);
  const std::string digests = Join(removal.digests);
  Statement(db,
            "INSERT OR REPLACE INTO removal (run, image, at_ns, done, size_bytes, code, reason, "
            "names, digests, origin, origin_evidence, pull_by) VALUES (?, ?, ?, 0, ?, ?, ?, ?, ?, "
            "?, ?, ?)")
      .Bind(1, removal.run)
      .Bind(2, removal.id)
      .Bind(3, CountOf(removal.at))
      .Bind(4, Signed(removal.size_bytes))
      .Bind(5, removal.code)
      .Bind(6, removal.reason)
      .Bind(7, names)
      .Bind(8, digests)
      .Bind(9, ToString(removal.origin.kind))
      .Bind(10, removal.origin.evidence)
      .Bind(11, removal.origin.pull_by)
      .Execute();
  ShrinkRemovals(db);
  const std::size_t origin = removal.origin.evidence.size() + removal.origin.pull_by.size();
  if (names.size() + digests.size() + removal.reason.size() + origin > kShortRemoval)
    ShrinkRemovalsBySize(db);
}

bool SettleRemoval(const Database& db, const std::string& run, const std::string& image_id,
                   bool removed) {
  Statement(db, removed ? "UPDATE removal SET done = 1 WHERE run = ? AND image = ?"
                        : "DELETE FROM removal WHERE run = ? AND image = ?")
      .Bind(1, run)
      .Bind(2, image_id)
      .Execute();
  return db.Number("SELECT changes()") > 0;
}

std::vector<RemovalEntry> ReadRemovals(const Database& db, const std::string& run) {
  Statement row(
      db,
      "SELECT run, image, at_ns, done, size_bytes, code, reason, names, digests, origin, "
      "origin_evidence, pull_by FROM removal WHERE ?1 = '' OR run = ?1 ORDER BY seq DESC");
  row.Bind(1, run);
  std::vector<RemovalEntry> removals;
  while (row.Step()) {
    RemovalEntry entry;
    entry.run = row.Text(0);
    entry.id = row.Text(1);
    entry.at = Time(row, 2);
    entry.done = row.Integer(3) != 0;
    entry.size_bytes = static_cast<std::uint64_t>(row.Integer(4));
    entry.code = row.Text(5);
    entry.reason = row.Text(6);
    entry.names = Split(row.Text(7));
    entry.digests = Split(row.Text(8));
    entry.origin = {OriginKindOf(row.Text(9)), row.Text(10), row.Text(11)};
    removals.push_back(std::move(entry));
  }
  return removals;
}

void PutRun(const Database& db, const RunEntry& entry, std::string_view packed, int limit) {
  const std::int64_t times = TakePlace(db, entry);
  ShrinkRuns(db, kMaxReportsBytes - static_cast<std::int64_t>(packed.size()));
  Statement(db,
            "INSERT OR REPLACE INTO run (run, started_ns, finished_ns, dry_run, result, headline, "
            "removed, bytes, times, report) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
      .Bind(1, entry.run)
      .Bind(2, CountOf(entry.started))
      .Bind(3, CountOf(entry.finished))
      .Bind(4, entry.dry_run ? 1 : 0)
      .Bind(5, entry.result)
      .Bind(6, entry.headline)
      .Bind(7, Signed(entry.removed))
      .Bind(8, Signed(entry.bytes))
      .Bind(9, times)
      .BindBlob(10, packed)
      .Execute();
  Statement(db,
            "DELETE FROM run WHERE seq <= (SELECT seq FROM run ORDER BY seq DESC LIMIT 1 OFFSET ?)")
      .Bind(1, std::max(limit, 0))
      .Execute();
}

std::vector<RunEntry> ReadRuns(const Database& db) {
  Statement row(db, (std::string(kRunColumns) + " FROM run ORDER BY seq DESC").c_str());
  std::vector<RunEntry> runs;
  while (row.Step()) runs.push_back(ReadRun(row));
  return runs;
}

std::vector<RunEntry> FindRuns(const Database& db, const std::string& run) {
  // The whole id first: it may be the beginning of another one.
  Statement row(
      db, (std::string(kRunColumns) + ", report FROM run WHERE substr(run, 1, length(?1)) = ?1 "
                                      "ORDER BY run = ?1 DESC, seq DESC LIMIT 2")
              .c_str());
  row.Bind(1, run);
  std::vector<RunEntry> found;
  while (row.Step()) {
    found.push_back(ReadRun(row));
    found.back().report = row.Text(9);
    if (run.empty() || found.back().run == run) break;
  }
  return found;
}

}  // namespace imagesweep
