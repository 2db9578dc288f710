#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/state/age_store.h"
#include "tests/support/fake_clock.h"
#include "tests/unit/state/age_store_files.h"
#include "tests/unit/state/faults.h"
#include "tests/unit/state/history_files.h"

namespace imagesweep {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

// The tables of version 1.
constexpr const char* kVersion1 =
    "CREATE TABLE look ("
    " one INTEGER PRIMARY KEY CHECK (one = 1),"
    " boot_id TEXT NOT NULL,"
    " steady_ns INTEGER NOT NULL CHECK (steady_ns >= 0),"
    " wall_ns INTEGER NOT NULL,"
    " observed_ns INTEGER NOT NULL CHECK (observed_ns >= 0)"
    ") STRICT;"
    "CREATE TABLE image ("
    " id TEXT PRIMARY KEY,"
    " first_seen_ns INTEGER NOT NULL,"
    " last_used_ns INTEGER,"
    " idle_from_ns INTEGER CHECK (idle_from_ns >= 0)"
    ") STRICT, WITHOUT ROWID;"
    "PRAGMA application_id = 1229804375;"
    "PRAGMA user_version = 1;";

class Upgrade : public Faults {
 protected:
  // Two images. One was idle for 40 of the 100 observed seconds.
  static void MakeVersion1(const TempDir& dir, const Clock& clock) {
    const auto nanos = [](auto time) { return std::to_string(time.time_since_epoch().count()); };
    Sql(dir.file(), kVersion1);
    Sql(dir.file(), "INSERT INTO look VALUES (1, 'boot', " + nanos(clock.Steady()) + ", " +
                        nanos(clock.Now()) + ", 100000000000);" +  //
                        "INSERT INTO image VALUES ('" + Id("idle") + "', 5, 7, 60000000000);" +
                        "INSERT INTO image VALUES ('" + Id("used") + "', 6, 8, NULL);");
  }
  static void ExpectVersion4WithEverything(const TempDir& dir, const FakeClock& clock) {
    const auto age_store = OpenCounting(dir.path(), clock, "boot");
    EXPECT_TRUE(age_store->durable());
    EXPECT_THAT(age_store->warnings(), IsEmpty());
    EXPECT_EQ(Rows(dir.file(), "PRAGMA user_version"), "5|\n");
    clock.Advance(seconds(3));
    const auto images = Images({"idle", "used"});
    const auto ages = age_store->Observe(images, {false, true});
    EXPECT_EQ(ages[0].unused_for, seconds(43));
    EXPECT_EQ(ages[0].first_seen.time_since_epoch().count(), 5);
    EXPECT_EQ(ages[0].last_used->time_since_epoch().count(), 7);
    EXPECT_FALSE(ages[0].just_seen);
    EXPECT_EQ(ages[1].first_seen.time_since_epoch().count(), 6);
    EXPECT_THAT(age_store->CountCandidates(images, {true, false}), ElementsAre(1, 0));
    const auto again = OpenCounting(dir.path(), clock, "boot");
    LookIdle(*again, images);
    EXPECT_THAT(again->CountCandidates(images, {true, true}), ElementsAre(2, 1));
  }
};

TEST_F(Upgrade, LosesNothingFromALedgerOfVersion1) {
  const TempDir dir;
  const FakeClock clock;
  MakeVersion1(dir, clock);
  ExpectVersion4WithEverything(dir, clock);
}

// The history of a version that did not record the origin of images.
TEST_F(Upgrade, LeavesTheOriginUnknownFromAHistoryOfVersion1) {
  const TempDir dir;
  const FakeClock clock;
  const auto file = dir.path() / "history.db";
  Sql(file,
      "CREATE TABLE run (seq INTEGER PRIMARY KEY, run TEXT NOT NULL UNIQUE, started_ns INTEGER NOT "
      "NULL, finished_ns INTEGER NOT NULL, dry_run INTEGER NOT NULL CHECK (dry_run IN (0, 1)), "
      "result TEXT NOT NULL, headline TEXT NOT NULL, removed INTEGER NOT NULL CHECK (removed >= "
      "0), "
      "bytes INTEGER NOT NULL CHECK (bytes >= 0), times INTEGER NOT NULL CHECK (times BETWEEN 1 "
      "AND "
      "2147483647), report BLOB NOT NULL) STRICT;"
      "CREATE TABLE removal (seq INTEGER PRIMARY KEY, run TEXT NOT NULL, image TEXT NOT NULL, "
      "at_ns "
      "INTEGER NOT NULL, done INTEGER NOT NULL CHECK (done IN (0, 1)), size_bytes INTEGER NOT NULL "
      "CHECK (size_bytes >= 0), code TEXT NOT NULL, reason TEXT NOT NULL, names TEXT NOT NULL, "
      "digests TEXT NOT NULL, UNIQUE (run, image)) STRICT;"
      "INSERT INTO removal VALUES (1, 'r1', 'sha256:a', 5, 1, 7, 'Age', 'old', 'app:v1', "
      "'app@sha256:b');"
      "PRAGMA application_id = 1229804360;"
      "PRAGMA user_version = 1;");
  const auto history = History::Open(dir.path(), clock);
  EXPECT_THAT(history->warnings(), IsEmpty());
  EXPECT_EQ(Rows(file, "PRAGMA user_version"), "2|\n");
  RemovalEntry entry = Removal("r2", "new");
  EXPECT_TRUE(history->BeginRemoval(entry));
  const auto removals = Value(history->Removals({}));
  ASSERT_EQ(removals.size(), 2U);
  EXPECT_EQ(removals[0], entry);
  EXPECT_EQ(removals[1].digests, std::vector<std::string>{"app@sha256:b"});
  EXPECT_EQ(removals[1].origin, Origin{});
}

TEST_F(Upgrade, IsCompletedAtTheNextStartAfterAKill) {
  for (const Fault kind : {Fault::kKill, Fault::kTornWriteThenKill}) {
    int call = 1;
    for (bool killed = true; killed; ++call) {
      const TempDir dir;
      const FakeClock clock;
      MakeVersion1(dir, clock);
      killed = Killed(kind, call, [&] { OpenCounting(dir.path(), clock, "boot"); });
      ExpectVersion4WithEverything(dir, clock);
    }
    EXPECT_GT(call, 5);
  }
}

TEST_F(Upgrade, LeavesTheOldFileWhenTheDiskIsFull) {
  const TempDir dir;
  const FakeClock clock;
  MakeVersion1(dir, clock);
  Arm(Fault::kDiskFull);
  EXPECT_FALSE(OpenCounting(dir.path(), clock, "boot")->durable());
  Disarm();
  EXPECT_EQ(Rows(dir.file(), "PRAGMA user_version"), "1|\n");
  ExpectVersion4WithEverything(dir, clock);
}

}  // namespace
}  // namespace imagesweep
