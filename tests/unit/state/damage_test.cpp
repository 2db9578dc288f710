#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <functional>
#include <random>

#include "agent/state/age_store.h"
#include "tests/support/fake_clock.h"
#include "tests/unit/state/age_store_files.h"

namespace imagesweep {
namespace {

namespace fs = std::filesystem;
using std::chrono::hours;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// X04: with anything at the path of the age store, the agent starts, and no age is longer than the
// true one.
class DamagedState : public testing::Test {
 protected:
  // A age store whose images have been idle for 100 hours.
  void SetUp() override {
    const auto age_store = OpenCounting(dir_.path(), clock_, "boot");
    LookIdle(*age_store, images_);
    clock_.Advance(hours(100));
    LookIdle(*age_store, images_);
    bytes_ = ReadBytes(dir_.file());
    ASSERT_GT(bytes_.size(), 8192U);
  }
  void ExpectJustSeen(AgeStore& age_store) {
    for (const auto& age : LookIdle(age_store, images_)) {
      EXPECT_TRUE(age.just_seen);
      EXPECT_EQ(age.unused_for, Millis(0));
    }
  }
  // Used and reopened with the current file.
  std::unique_ptr<AgeStore> Reopen() { return OpenCounting(dir_.path(), clock_, "boot"); }
  void Clean() {
    for (const auto& entry : fs::directory_iterator(dir_.path())) fs::remove_all(entry.path());
  }

  TempDir dir_;
  FakeClock clock_;
  std::vector<Image> images_ = [] {
    std::vector<Image> images;
    for (int i = 0; i < 100; ++i) images.push_back(Img("i" + std::to_string(i), {"a:1"}));
    return images;
  }();
  std::string bytes_;
};

TEST_F(DamagedState, RenamesATruncatedFileAndStartsEmpty) {
  std::vector<std::size_t> lengths;
  for (std::size_t length = 1; length <= 100; ++length) lengths.push_back(length);
  for (std::size_t length = 512; length < bytes_.size(); length += 512) lengths.push_back(length);
  for (const auto length : lengths) {
    Clean();
    WriteBytes(dir_.file(), bytes_.substr(0, length));
    const auto age_store = Reopen();
    ExpectJustSeen(*age_store);
    EXPECT_TRUE(age_store->durable()) << length;
    ASSERT_EQ(age_store->warnings().size(), 1U) << length;
    EXPECT_THAT(age_store->warnings()[0], HasSubstr("is damaged: ")) << length;
    EXPECT_EQ(ReadBytes(dir_.path() / "ledger.db.bad"), bytes_.substr(0, length));
    clock_.Advance(seconds(1));
    EXPECT_EQ(LookIdle(*Reopen(), images_)[0].unused_for, seconds(1)) << length;
  }
}

TEST_F(DamagedState, GarbageIsKeptAsideOnceAndNeverMoreThanTwoFiles) {
  for (const char* text : {"first", "second", "third"}) {
    WriteBytes(dir_.file(), std::string(20'000, 'x') + text);
    ExpectJustSeen(*Reopen());
  }
  EXPECT_THAT(ReadBytes(dir_.path() / "ledger.db.bad"), testing::EndsWith("first"));
  EXPECT_THAT(ReadBytes(dir_.path() / "ledger.db.bad.1"), testing::EndsWith("third"));
  EXPECT_EQ(std::distance(fs::directory_iterator(dir_.path()), {}), 3);
}

TEST_F(DamagedState, AJournalThatWasNeverOursIsNotPlayedIntoTheNewFile) {
  WriteBytes(dir_.file(), "garbage that is no database at all");
  WriteBytes(dir_.path() / "ledger.db-journal", bytes_);
  ExpectJustSeen(*Reopen());
  EXPECT_FALSE(fs::exists(dir_.path() / "ledger.db-journal"));
  EXPECT_TRUE(LookIdle(*Reopen(), images_)[0].just_seen == false);
}

TEST_F(DamagedState, AnEmptyFileIsANewOne) {
  WriteBytes(dir_.file(), "");
  const auto age_store = Reopen();
  ExpectJustSeen(*age_store);
  EXPECT_TRUE(age_store->durable());
  EXPECT_THAT(age_store->warnings(), IsEmpty());
}

TEST_F(DamagedState, AHugeFileIsNotRead) {
  fs::resize_file(dir_.file(), 1ULL << 30);
  const auto age_store = Reopen();
  ExpectJustSeen(*age_store);
  EXPECT_THAT(age_store->warnings(), ElementsAre(HasSubstr("larger than 64 MiB")));
  EXPECT_TRUE(age_store->durable());
}

TEST_F(DamagedState, TimesThatCannotBeTrueAreDamage) {
  for (const char* sql : {"UPDATE image SET idle_from_ns = (SELECT observed_ns + 1 FROM look)",
                          "UPDATE image SET first_seen_ns = 9223372036854775807",
                          "UPDATE look SET wall_ns = -9223372036854775807",
                          "PRAGMA ignore_check_constraints = 1; UPDATE image SET idle_from_ns = -1",
                          "PRAGMA ignore_check_constraints = 1; UPDATE look SET observed_ns = -1",
                          "UPDATE look SET watched_from_ns = observed_ns + 1",
                          "UPDATE look SET accepted_from_ns = observed_ns + 1", "DROP TABLE image",
                          "DROP TABLE recent_use"}) {
    Clean();
    WriteBytes(dir_.file(), bytes_);
    Sql(dir_.file(), sql);
    const auto age_store = Reopen();
    ExpectJustSeen(*age_store);
    EXPECT_FALSE(age_store->warnings().empty()) << sql;
  }
}

// A file that is not ours to repair stays unchanged byte for byte.
TEST_F(DamagedState, FilesOfOthersAreLeftAlone) {
  struct {
    const char* sql;
    const char* why;
  } cases[] = {
      {"PRAGMA user_version = 6", "a newer version of imagesweep wrote the file (format 6)"},
      {"PRAGMA user_version = 7; DROP TABLE image; PRAGMA journal_mode = DELETE",
       "a newer version of imagesweep wrote the file (format 7)"},
      {"PRAGMA application_id = 1", "a database of another program"},
      {"PRAGMA application_id = 0; PRAGMA user_version = 0", "a database of another program"},
  };
  for (const auto& c : cases) {
    Clean();
    WriteBytes(dir_.file(), bytes_);
    Sql(dir_.file(), c.sql);
    const auto before = ReadBytes(dir_.file());
    const auto age_store = Reopen();
    ExpectJustSeen(*age_store);
    clock_.Advance(seconds(2));
    EXPECT_EQ(LookIdle(*age_store, images_)[0].unused_for, seconds(2));
    EXPECT_FALSE(age_store->durable());
    EXPECT_THAT(age_store->warnings(), ElementsAre(HasSubstr(c.why)));
    EXPECT_EQ(ReadBytes(dir_.file()), before);
    EXPECT_EQ(std::distance(fs::directory_iterator(dir_.path()), {}), 1);
  }
}

TEST_F(DamagedState, LinksAreNotFollowed) {
  const TempDir other;
  WriteBytes(other.path() / "passwd", "root:x:0:0\n");
  WriteBytes(other.path() / "db", bytes_);
  for (const char* target : {"passwd", "db", "nothing"}) {
    Clean();
    fs::create_symlink(other.path() / target, dir_.file());
    const auto age_store = Reopen();
    ExpectJustSeen(*age_store);
    EXPECT_FALSE(age_store->durable());
    EXPECT_THAT(age_store->warnings(), ElementsAre(HasSubstr("is a symbolic link")));
    EXPECT_TRUE(fs::is_symlink(dir_.file()));
  }
  EXPECT_EQ(ReadBytes(other.path() / "passwd"), "root:x:0:0\n");
  EXPECT_EQ(ReadBytes(other.path() / "db"), bytes_);
  EXPECT_FALSE(fs::exists(other.path() / "nothing"));
}

TEST_F(DamagedState, IgnoresAPathThatIsNoRegularFile) {
  struct {
    std::function<void(const fs::path&)> make;
    const char* why;
  } cases[] = {
      {[](const fs::path& path) { fs::create_directory(path); }, "is not a regular file"},
      {[](const fs::path& path) { ASSERT_EQ(mkfifo(path.c_str(), 0600), 0); },
       "is not a regular file"},
  };
  for (const auto& c : cases) {
    Clean();
    c.make(dir_.file());
    const auto age_store = Reopen();
    ExpectJustSeen(*age_store);
    EXPECT_THAT(age_store->warnings(), ElementsAre(HasSubstr(c.why)));
  }
}

TEST_F(DamagedState, ADirectoryThatCannotBeUsedMeansMemory) {
  WriteBytes(dir_.path() / "file", "x");
  for (const fs::path& directory : {fs::path("/proc/imagesweep"), fs::path("/sys/kernel"),
                                    dir_.path() / "file", dir_.path() / "file" / "state"}) {
    const auto age_store = OpenCounting(directory, clock_, "boot");
    ExpectJustSeen(*age_store);
    clock_.Advance(seconds(2));
    EXPECT_EQ(LookIdle(*age_store, images_)[0].unused_for, seconds(2));
    EXPECT_FALSE(age_store->durable());
    EXPECT_EQ(age_store->warnings().size(), 1U) << "the same complaint is made once";
    EXPECT_THAT(age_store->warnings()[0], HasSubstr("ages are counted in memory"));
    EXPECT_EQ(age_store->warnings()[0].find('\n'), std::string::npos);
  }
}

// Random bytes of the file are changed. Ages may shrink. A single changed number inside a record
// looks like a correct one, but it cannot make an image older than the time ever observed.
TEST_F(DamagedState, ChangedBytesNeverCrashAndNeverMakeAnAgeAbsurd) {
  std::mt19937_64 random(11);
  for (int round = 0; round < 300; ++round) {
    Clean();
    std::string changed = bytes_;
    for (int i = 0; i <= round % 4; ++i)
      changed[random() % changed.size()] = static_cast<char>(random());
    WriteBytes(dir_.file(), changed);
    for (const auto& age : LookIdle(*Reopen(), images_)) {
      EXPECT_GE(age.unused_for, Millis(0));
      EXPECT_LT(age.unused_for, hours(24 * 366 * 147));
    }
  }
}

}  // namespace
}  // namespace imagesweep
