#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <random>

#include "agent/state/history.h"
#include "tests/support/fake_clock.h"
#include "tests/unit/state/faults.h"
#include "tests/unit/state/history_files.h"

namespace imagesweep {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class DamagedHistory : public Faults {
 protected:
  // A history with one run and its removal.
  void SetUp() override {
    Faults::SetUp();
    const auto history = Open();
    ASSERT_TRUE(history->BeginRemoval(old_));
    ASSERT_TRUE(history->Commit("old", old_.id, true));
    RunEntry entry = RunOf("old");
    for (int i = 0; i < 2000; ++i) report_ += "line " + std::to_string(i * i) + "\n";
    entry.report = report_;
    ASSERT_TRUE(history->AddRun(entry, 50));
    bytes_ = ReadBytes(file());
    ASSERT_GT(bytes_.size(), 20'000U);
  }
  fs::path file() const { return dir_.path() / "history.db"; }
  std::unique_ptr<History> Open() { return History::Open(dir_.path(), clock_); }
  void Clean() {
    for (const auto& entry : fs::directory_iterator(dir_.path())) fs::remove_all(entry.path());
  }
  // Every call fails for this reason, and none changed anything.
  void ExpectNoUse(History& history, const std::string& why) {
    const std::pair<const char*, Status> calls[] = {
        {"intend", history.BeginRemoval(Removal("new", "a"))},
        {"settle", history.Commit("new", Id("a"), true)},
        {"add", history.AddRun(RunOf("new"), 50)},
    };
    for (const auto& [name, status] : calls) {
      ASSERT_FALSE(status) << name;
      EXPECT_THAT(status.error().what, HasSubstr(why)) << name;
      EXPECT_EQ(status.error().what.find('\n'), std::string::npos);
    }
  }
  void ExpectUse(History& history, const std::string& run) {
    ASSERT_TRUE(history.BeginRemoval(Removal(run, "a")));
    ASSERT_TRUE(history.Commit(run, Id("a"), true));
    ASSERT_TRUE(history.AddRun(RunOf(run), 50));
    EXPECT_THAT(RunIds(*Open()), testing::Contains(run));
    EXPECT_THAT(Value(Open()->Removals(run)), ElementsAre(Gone(Removal(run, "a"))));
  }

  TempDir dir_;
  FakeClock clock_;
  const RemovalEntry old_ = Removal("old", "z");
  std::string report_;
  std::string bytes_;
};

// X04 for the history: with anything at the path of the file, runs continue.
TEST_F(DamagedHistory, RenamesATruncatedFileAndStartsEmpty) {
  for (std::size_t length = 1; length < bytes_.size(); length += length < 100 ? 9 : 997) {
    Clean();
    WriteBytes(file(), bytes_.substr(0, length));
    const auto history = Open();
    if (history->warnings().empty()) {
      // SQLite reads zeros after the end of the last page, which is the end of the report.
      const auto found = history->Find("old");
      EXPECT_TRUE(!found || Value(found)->report == report_) << length;
      EXPECT_GT(length, bytes_.size() - 4096);
      continue;
    }
    ASSERT_THAT(history->warnings(), SizeIs(1)) << length;
    EXPECT_THAT(history->warnings()[0], HasSubstr("is damaged: "));
    EXPECT_THAT(RunIds(*history), IsEmpty());
    EXPECT_EQ(ReadBytes(dir_.path() / "history.db.bad"), bytes_.substr(0, length));
    ExpectUse(*history, "new");
  }
}

TEST_F(DamagedHistory, AFileThatIsDamagedWhileOpenIsKeptAsideAndTheCallGoesThrough) {
  const auto history = Open();
  for (const char* garbage : {"first", "second", "third"}) {
    WriteBytes(file(), std::string(20'000, 'x') + garbage);
    ExpectUse(*history, garbage);
    EXPECT_THAT(RunIds(*history), ElementsAre(garbage));
  }
  EXPECT_THAT(ReadBytes(dir_.path() / "history.db.bad"), testing::EndsWith("first"));
  EXPECT_THAT(ReadBytes(dir_.path() / "history.db.bad.1"), testing::EndsWith("third"));
  EXPECT_THAT(history->warnings(), testing::Contains(HasSubstr("renamed it to history.db.bad")));
}

TEST_F(DamagedHistory, TreatsImpossibleValuesAsDamage) {
  for (const char* sql : {"PRAGMA ignore_check_constraints = 1; UPDATE run SET removed = -1",
                          "PRAGMA ignore_check_constraints = 1; UPDATE run SET times = 0",
                          "PRAGMA ignore_check_constraints = 1; UPDATE removal SET done = 2",
                          "PRAGMA user_version = 0", "DROP TABLE removal"}) {
    Clean();
    WriteBytes(file(), bytes_);
    Sql(file(), sql);
    const auto history = Open();
    EXPECT_THAT(history->warnings(), ElementsAre(HasSubstr("is damaged: "))) << sql;
    ExpectUse(*history, "new");
  }
}

TEST_F(DamagedHistory, FilesOfOthersAreLeftAlone) {
  struct {
    const char* sql;
    const char* why;
  } cases[] = {
      {"PRAGMA user_version = 3", "a newer version of imagesweep wrote the file (format 3)"},
      {"PRAGMA application_id = 1", "a database of another program"},
      {"PRAGMA application_id = 1229804375", "a database of another program"},  // the age store
      {"PRAGMA application_id = 0; PRAGMA user_version = 0", "a database of another program"},
  };
  for (const auto& c : cases) {
    Clean();
    WriteBytes(file(), bytes_);
    Sql(file(), c.sql);
    const auto before = ReadBytes(file());
    const auto history = Open();
    EXPECT_THAT(history->warnings(), ElementsAre(HasSubstr(c.why)));
    ExpectNoUse(*history, c.why);
    EXPECT_FALSE(history->Runs());
    EXPECT_FALSE(history->Find(""));
    EXPECT_FALSE(history->Removals(""));
    EXPECT_EQ(ReadBytes(file()), before);
    EXPECT_EQ(std::distance(fs::directory_iterator(dir_.path()), {}), 1);
    // The administrator deletes it.
    fs::remove(file());
    ExpectUse(*history, "later");
    EXPECT_THAT(Value(history->Removals("new")), ElementsAre(Gone(Removal("new", "a"))))
        << "held in memory until then";
  }
}

TEST_F(DamagedHistory, LinksAreNotFollowed) {
  const TempDir other;
  WriteBytes(other.path() / "db", bytes_);
  for (const char* target : {"db", "nothing"}) {
    Clean();
    fs::create_symlink(other.path() / target, file());
    ExpectNoUse(*Open(), "is a symbolic link");
  }
  Clean();
  const auto history = Open();
  fs::remove(file());
  fs::create_symlink(other.path() / "db", file());
  ExpectNoUse(*history, "is a symbolic link");
  EXPECT_EQ(ReadBytes(other.path() / "db"), bytes_);
  EXPECT_FALSE(fs::exists(other.path() / "nothing"));
}

TEST_F(DamagedHistory, ADirectoryThatCannotBeUsedIsAnErrorOfEveryCall) {
  WriteBytes(dir_.path() / "plain", "x");
  for (const fs::path& directory :
       {fs::path("/proc/imagesweep"), fs::path("/sys/kernel"), dir_.path() / "plain"}) {
    const auto history = History::Open(directory, clock_);
    EXPECT_THAT(history->warnings(), SizeIs(1));
    ExpectNoUse(*history, directory.filename().string());
    EXPECT_FALSE(history->Runs());
  }
}

TEST_F(DamagedHistory, AFileThatIsDeletedOrReplacedWhileOpenIsNoticed) {
  const auto history = Open();
  fs::remove(file());
  ExpectUse(*history, "1");
  EXPECT_THAT(RunIds(*history), ElementsAre("1"));
  const TempDir other;
  WriteBytes(other.path() / "copy", bytes_);
  fs::rename(other.path() / "copy", file());
  ExpectUse(*history, "2");
  EXPECT_THAT(RunIds(*history), ElementsAre("2", "old"));
}

// The disk is full from any write of a removal on: the refused data is in the file after the next
// call.
TEST_F(DamagedHistory, AFullDiskLosesNoRemoval) {
  int call = 1;
  for (bool failed = true; failed; ++call) {
    Clean();
    WriteBytes(file(), bytes_);
    const auto history = Open();
    const auto a = Removal("new", "a");
    const auto b = Removal("new", "b");
    const auto c = Removal("new", "c");
    Arm(Fault::kDiskFull, call);
    failed = !history->BeginRemoval(a);
    const auto settled = history->Commit("new", a.id, true);
    const auto more = history->BeginRemoval(b);
    const auto kept = history->Commit("new", b.id, false);
    EXPECT_TRUE(!failed || (!settled && !more && !kept)) << "the disk is full for good";
    Disarm();
    ASSERT_TRUE(history->BeginRemoval(c)) << "call " << call;
    EXPECT_THAT(Value(Open()->Removals("")), ElementsAre(c, Gone(a), Gone(old_)));
    EXPECT_THAT(RunIds(*history), ElementsAre("old"));
  }
  EXPECT_GT(call, 5);
}

TEST_F(DamagedHistory, AFullDiskRefusesARunAndLeavesTheOldOnes) {
  RunEntry entry = RunOf("new");
  entry.report.assign(100'000, 'x');
  int call = 1;
  for (bool failed = true; failed; ++call) {
    Clean();
    WriteBytes(file(), bytes_);
    const auto history = Open();
    Arm(Fault::kDiskFull, call);
    const auto added = history->AddRun(entry, 1);
    Disarm();
    failed = !added;
    EXPECT_THAT(RunIds(*Open()), ElementsAre(failed ? "old" : "new")) << "call " << call;
    ASSERT_TRUE(history->AddRun(entry, 1));
    EXPECT_THAT(RunIds(*history), ElementsAre("new"));
  }
  EXPECT_GT(call, 5);
}

TEST_F(DamagedHistory, WarnsOfAReadOnlyDiskAndUsesItOnceWritable) {
  Arm(Fault::kReadOnly);
  const auto history = Open();
  EXPECT_THAT(history->warnings(), ElementsAre(HasSubstr("the file is read-only")));
  ExpectNoUse(*history, "the file is read-only");
  EXPECT_EQ(history->AddRun(RunOf("x"), 50).error().kind, ErrorKind::kDenied);
  EXPECT_EQ(ReadBytes(file()), bytes_);
  Disarm();
  ExpectUse(*history, "later");
  EXPECT_THAT(Value(history->Removals("new")), ElementsAre(Gone(Removal("new", "a"))));
}

TEST_F(DamagedHistory, AFileThatAnotherHoldsIsLeftAloneForAWhile) {
  const auto history = Open();
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open(file().c_str(), &other), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(other, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
  const RealClock real{};
  auto refused = history->BeginRemoval(Removal("new", "a"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kDeadline);
  const auto begin = real.Steady();
  for (int i = 0; i < 100; ++i) {
    refused = history->Commit("new", Id("a"), true);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::kDeadline);
  }
  EXPECT_LT(real.Steady() - begin, std::chrono::seconds(2)) << "one wait, not a hundred";
  sqlite3_close(other);
  clock_.Advance(std::chrono::seconds(31));
  ASSERT_TRUE(history->AddRun(RunOf("new"), 50));
  EXPECT_THAT(Value(history->Removals("new")), ElementsAre(Gone(Removal("new", "a"))));
}

TEST_F(DamagedHistory, ChangedBytesNeverCrashAndAreNeverHalfARun) {
  std::mt19937_64 random(11);
  for (int round = 0; round < 300; ++round) {
    Clean();
    std::string changed = bytes_;
    for (int i = 0; i <= round % 4; ++i)
      changed[random() % changed.size()] = static_cast<char>(random());
    WriteBytes(file(), changed);
    const auto history = Open();
    const auto runs = history->Runs();
    if (runs) {
      for (const auto& run : *runs) {
        EXPECT_GE(run.times, 1);
        const auto whole = history->Find(run.run);
        EXPECT_TRUE(!whole || !*whole || (*whole)->report == report_);
      }
    }
    const auto removals = history->Removals("");
    EXPECT_TRUE(!removals || removals->size() <= 1);
    if (history->AddRun(RunOf("new"), 50)) {
      EXPECT_TRUE(Value(history->Find("new")));
    }
  }
}

}  // namespace
}  // namespace imagesweep
