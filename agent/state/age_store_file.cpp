#include "agent/state/age_store_file.h"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <utility>

namespace imagesweep {
namespace {

// Version 3 adds the node of the ages, the time since which its agent watches, and the references
// that were used since the last observation.
#define IMAGESWEEP_LEDGER_VERSION_3                  \
  "CREATE TABLE node ("                              \
  " one INTEGER PRIMARY KEY CHECK (one = 1),"        \
  " machine_id TEXT NOT NULL,"                       \
  " node_uid TEXT NOT NULL"                          \
  ") STRICT;"                                        \
  "CREATE TABLE watch ("                             \
  " one INTEGER PRIMARY KEY CHECK (one = 1),"        \
  " boot_id TEXT NOT NULL,"                          \
  " since_ns INTEGER NOT NULL CHECK (since_ns >= 0)" \
  ") STRICT;"                                        \
  "CREATE TABLE recent_use (reference TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;"

constexpr const char* kSchema =
    "CREATE TABLE look ("
    " one INTEGER PRIMARY KEY CHECK (one = 1),"
    " boot_id TEXT NOT NULL,"
    " steady_ns INTEGER NOT NULL CHECK (steady_ns >= 0),"
    " wall_ns INTEGER NOT NULL,"
    " observed_ns INTEGER NOT NULL CHECK (observed_ns >= 0),"
    " watched_from_ns INTEGER NOT NULL DEFAULT 0 CHECK (watched_from_ns >= 0),"
    " accepted_from_ns INTEGER NOT NULL DEFAULT 0 CHECK (accepted_from_ns >= 0)"
    ") STRICT;"
    "CREATE TABLE image ("
    " id TEXT PRIMARY KEY,"
    " first_seen_ns INTEGER NOT NULL,"
    " last_used_ns INTEGER,"
    " idle_from_ns INTEGER CHECK (idle_from_ns >= 0),"
    " candidate_runs INTEGER NOT NULL DEFAULT 0 CHECK (candidate_runs >= 0),"
    " had_tag INTEGER NOT NULL DEFAULT 0,"
    " last_tags TEXT NOT NULL DEFAULT ''"
    ") STRICT, WITHOUT ROWID;" IMAGESWEEP_LEDGER_VERSION_3;

// Before version 3, watched time is unknown.  Before version 4, it is unknown which images had
// tags.  Before version 5, it is unknown which tags.
constexpr std::array<const char*, 4> kUpgrades{
    "ALTER TABLE image ADD COLUMN"
    " candidate_runs INTEGER NOT NULL DEFAULT 0 CHECK (candidate_runs >= 0)",
    "ALTER TABLE look ADD COLUMN"
    " watched_from_ns INTEGER NOT NULL DEFAULT 0 CHECK (watched_from_ns >= 0);"
    "ALTER TABLE look ADD COLUMN"
    " accepted_from_ns INTEGER NOT NULL DEFAULT 0 CHECK (accepted_from_ns >= 0);"
    "UPDATE look SET watched_from_ns = observed_ns;" IMAGESWEEP_LEDGER_VERSION_3,
    "ALTER TABLE image ADD COLUMN had_tag INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE image ADD COLUMN last_tags TEXT NOT NULL DEFAULT ''",
};

Nanos Time(const Statement& row, int column) {
  const Nanos value(row.Integer(column));
  if (value > kFarthest || value < -kFarthest) ThrowDamage("a time is out of range");
  return value;
}

std::optional<Nanos> TimeOrNothing(const Statement& row, int column) {
  if (row.IsNull(column)) return std::nullopt;
  return Time(row, column);
}

std::optional<std::int64_t> CountOf(const std::optional<Nanos>& time) {
  if (!time) return std::nullopt;
  return time->count();
}

int Runs(const Statement& row, int column) {
  const auto runs = row.Integer(column);
  if (runs < 0 || runs > std::numeric_limits<int>::max() - 1)
    ThrowDamage("a count is out of range");
  return static_cast<int>(runs);
}

Records ReadAll(const Database& db) {
  Records records;
  Statement look(db,
                 "SELECT boot_id, steady_ns, wall_ns, observed_ns, watched_from_ns, "
                 "accepted_from_ns FROM look");
  if (look.Step())
    records.observation = ObservationTime{look.Text(0),  Time(look, 1), Time(look, 2),
                                          Time(look, 3), Time(look, 4), Time(look, 5)};
  const Nanos observed = records.observation ? records.observation->observed : Nanos::zero();
  if (records.observation &&
      std::max(records.observation->watched_from, records.observation->accepted_from) > observed)
    ThrowDamage("the start of the watched time is in the future");
  Statement node(db, "SELECT machine_id, node_uid FROM node");
  if (node.Step()) records.node = {node.Text(0), node.Text(1)};
  Statement watch(db, "SELECT boot_id, since_ns FROM watch");
  if (watch.Step()) records.watch = WatchMark{watch.Text(0), Time(watch, 1)};
  Statement use(db, "SELECT reference FROM recent_use ORDER BY reference");
  while (use.Step()) records.uses.push_back(use.Text(0));
  Statement image(db,
                  "SELECT id, first_seen_ns, last_used_ns, idle_from_ns, candidate_runs, had_tag, "
                  "last_tags FROM image ORDER BY id");
  while (image.Step()) {
    const ImageRecord record{Time(image, 1), TimeOrNothing(image, 2), TimeOrNothing(image, 3),
                             Runs(image, 4), image.Integer(5) != 0,   SharedText(image.Text(6))};
    if (record.idle_from && (*record.idle_from < Nanos::zero() || *record.idle_from > observed))
      ThrowDamage("the start of an image's idle time is in the future");
    records.images.emplace_hint(records.images.end(), image.Text(0), record);
  }
  return records;
}

void Check(const Database& db) {
  if (db.Number("SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name IN "
                "('look', 'image', 'node', 'watch', 'recent_use')") != 5)
    ThrowDamage("tables are missing");
  ReadAll(db);
}

constexpr StateFormat kFormat{
    .name = "ledger.db",
    .application_id = 0x494D5357,  // "IMSW"
    .version = 5,
    .schema = kSchema,
    .upgrades = kUpgrades,
    .check = Check,
};

bool SameStored(const ImageRecord& a, const ImageRecord& b) {
  return a.first_seen == b.first_seen && a.last_used == b.last_used && a.idle_from == b.idle_from &&
         a.candidate_runs == b.candidate_runs && a.had_tag == b.had_tag &&
         a.last_tags == b.last_tags;
}

void WriteChanges(const Database& db, const Records& before, const Records& after) {
  Statement put(db, "INSERT OR REPLACE INTO image VALUES (?, ?, ?, ?, ?, ?, ?)");
  for (const auto& [id, record] : after.images) {
    const auto known = before.images.find(id);
    if (known != before.images.end() && SameStored(known->second, record)) continue;
    put.Bind(1, id)
        .Bind(2, record.first_seen.count())
        .Bind(3, CountOf(record.last_used))
        .Bind(4, CountOf(record.idle_from))
        .Bind(5, record.candidate_runs)
        .Bind(6, record.had_tag ? 1 : 0)
        .Bind(7, record.last_tags.view())
        .Execute();
  }
  Statement drop(db, "DELETE FROM image WHERE id = ?");
  for (const auto& [id, record] : before.images)
    if (!after.images.contains(id)) drop.Bind(1, id).Execute();
  if (after.uses.empty() && !before.uses.empty()) Statement(db, "DELETE FROM recent_use").Execute();
  if (!(after.node == before.node))
    Statement(db, "INSERT OR REPLACE INTO node VALUES (1, ?, ?)")
        .Bind(1, after.node.machine_id)
        .Bind(2, after.node.node_uid)
        .Execute();
  if (!after.observation || after.observation == before.observation) return;
  const ObservationTime& time = *after.observation;
  Statement(db, "INSERT OR REPLACE INTO look VALUES (1, ?, ?, ?, ?, ?, ?)")
      .Bind(1, time.boot_id)
      .Bind(2, time.steady.count())
      .Bind(3, time.wall.count())
      .Bind(4, time.observed.count())
      .Bind(5, time.watched_from.count())
      .Bind(6, time.accepted_from.count())
      .Execute();
}

}  // namespace

AgeStoreFile::AgeStoreFile(std::unique_ptr<StateFile> file) : file_(std::move(file)) {}

Result<AgeStoreFile::Opened> AgeStoreFile::Open(const std::filesystem::path& directory) {
  auto opened = StateFile::Open(directory, kFormat);
  if (!opened) return std::move(opened).error();
  return Opened{std::unique_ptr<AgeStoreFile>(new AgeStoreFile(std::move(opened->file))),
                std::move(opened->note)};
}

Status AgeStoreFile::Update(const std::function<Records(const Records& stored)>& change) {
  return file_->Write([&](Database& db) {
    const Records before = ReadAll(db);
    WriteChanges(db, before, change(before));
  });
}

Status AgeStoreFile::AddUses(const std::vector<std::string>& uses,
                             const std::optional<WatchMark>& watch) {
  return file_->Write([&](Database& db) {
    Statement add(db, "INSERT OR IGNORE INTO recent_use VALUES (?)");
    for (const std::string& use : uses) add.Bind(1, use).Execute();
    if (!watch) return;
    Statement(db, "INSERT OR REPLACE INTO watch VALUES (1, ?, ?)")
        .Bind(1, watch->boot_id)
        .Bind(2, watch->since.count())
        .Execute();
  });
}

}  // namespace imagesweep
