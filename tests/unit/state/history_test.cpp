#include "agent/state/history.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/state/history_files.h"

namespace imagesweep {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class RunsTest : public testing::Test {
 protected:
  std::unique_ptr<History> Open() { return History::Open(dir_.path(), clock_); }
  TempDir dir_;
  FakeClock clock_;
};
using RemovalsTest = RunsTest;

TEST_F(RunsTest, AreKeptWholeAcrossARestart) {
  RunEntry entry = RunOf("0001");
  entry.dry_run = false;
  entry.headline = "removed 4 images, 1.2 GiB";
  entry.removed = 4;
  entry.bytes = 1'288'490'188;
  entry.report = "{\"kind\": \"SweepReport\", \"node\": \"w\xC3\xB6rker\"}";
  ASSERT_TRUE(Open()->AddRun(entry, 50));
  const auto history = Open();
  const auto found = Value(history->Find("0001"));
  ASSERT_TRUE(found);
  EXPECT_EQ(*found, entry);
  entry.report.clear();
  EXPECT_THAT(Value(history->Runs()), ElementsAre(entry));
  EXPECT_THAT(history->warnings(), IsEmpty());
}

TEST_F(RunsTest, AreListedNewestFirstUpToTheLimit) {
  const auto history = Open();
  for (const char* run : {"a", "b", "c", "d"}) ASSERT_TRUE(history->AddRun(RunOf(run), 3));
  EXPECT_THAT(RunIds(*history), ElementsAre("d", "c", "b"));
  ASSERT_TRUE(history->AddRun(RunOf("e"), 2));
  EXPECT_THAT(RunIds(*history), ElementsAre("e", "d"));
  ASSERT_TRUE(history->AddRun(RunOf("f"), 0));
  EXPECT_THAT(RunIds(*history), IsEmpty());
}

TEST_F(RunsTest, AreOneEntryWhenTheyDidNothingInARow) {
  struct {
    const char* run;
    const char* result;
    bool dry_run;
  } const runs[] = {{"1", "noop", true},     {"2", "noop", true},  {"3", "noop", true},
                    {"4", "noop", false},    {"5", "noop", false}, {"6", "success", false},
                    {"7", "success", false}, {"8", "noop", false}};
  for (const auto& r : runs) {
    RunEntry entry = RunOf(r.run, r.result);
    entry.dry_run = r.dry_run;
    ASSERT_TRUE(Open()->AddRun(entry, 50));
  }
  std::vector<std::string> seen;
  for (const auto& entry : Value(Open()->Runs()))
    seen.push_back(entry.run + " x" + std::to_string(entry.times));
  EXPECT_THAT(seen, ElementsAre("8 x1", "7 x1", "6 x1", "5 x2", "3 x3"));
}

TEST_F(RunsTest, AreFoundByTheBeginningOfTheirId) {
  const auto history = Open();
  EXPECT_FALSE(Value(history->Find("")));
  for (const char* run : {"01ab", "01abc", "01b%", "02_"})
    ASSERT_TRUE(history->AddRun(RunOf(run), 50));
  struct {
    const char* asked;
    const char* found;  // empty: nothing
  } const cases[] = {{"", "02_"}, {"01ab", "01ab"}, {"01abc", "01abc"}, {"01b", "01b%"},
                     {"0", "?"},  {"01a", "?"},     {"%", ""},          {"0_", ""},
                     {"3", ""},   {"01abcd", ""},   {"02", "02_"},      {"'", ""}};
  for (const auto& c : cases) {
    const auto found = history->Find(c.asked);
    if (std::string_view(c.found) == "?") {
      ASSERT_FALSE(found) << c.asked;
      EXPECT_EQ(found.error().kind, ErrorKind::kInvalid);
      EXPECT_THAT(found.error().what, HasSubstr("several run IDs begin with"));
    } else {
      const auto entry = Value(found);
      EXPECT_EQ(entry ? entry->run : "", c.found) << c.asked;
    }
  }
}

TEST_F(RunsTest, AreStoredOnceWhenAddedAgain) {
  const auto history = Open();
  for (const char* run : {"a", "b", "a"}) ASSERT_TRUE(history->AddRun(RunOf(run), 50));
  EXPECT_THAT(RunIds(*history), ElementsAre("a", "b"));
}

TEST_F(RunsTest, AreRefusedWithoutAnIdOrWithAHugeReport) {
  const auto history = Open();
  EXPECT_EQ(history->AddRun(RunOf(""), 50).error().kind, ErrorKind::kInvalid);
  RunEntry entry = RunOf("big");
  entry.report.assign(History::kMaxReportBytes, 'x');
  EXPECT_TRUE(history->AddRun(entry, 50));
  EXPECT_EQ(Value(history->Find("big"))->report, entry.report);
  entry.report += 'x';
  entry.run = "bigger";
  const auto refused = history->AddRun(entry, 50);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kInvalid);
  EXPECT_THAT(refused.error().what, HasSubstr("the report of run bigger takes 16"));
  EXPECT_THAT(RunIds(*history), ElementsAre("big"));
}

TEST_F(RemovalsTest, AreKeptFromBeforeTheyAreAskedFor) {
  const auto a = Removal("r1", "a");
  const auto b = Removal("r1", "b");
  const auto c = Removal("r2", "c");
  ASSERT_TRUE(Open()->BeginRemoval(a));
  EXPECT_THAT(Value(Open()->Removals("")), ElementsAre(a));
  ASSERT_TRUE(Open()->Commit("r1", a.id, true));
  ASSERT_TRUE(Open()->BeginRemoval(b));
  ASSERT_TRUE(Open()->BeginRemoval(c));
  EXPECT_THAT(Value(Open()->Removals("")), ElementsAre(c, b, Gone(a)));
  ASSERT_TRUE(Open()->Commit("r1", b.id, false));
  EXPECT_THAT(Value(Open()->Removals("")), ElementsAre(c, Gone(a)));
  EXPECT_THAT(Value(Open()->Removals("r1")), ElementsAre(Gone(a)));
  EXPECT_THAT(Value(Open()->Removals("r")), IsEmpty());
}

TEST_F(RemovalsTest, OutliveTheirRun) {
  const auto history = Open();
  const auto a = Removal("r1", "a");
  ASSERT_TRUE(history->BeginRemoval(a));
  ASSERT_TRUE(history->Commit("r1", a.id, true));
  for (const char* run : {"r1", "r2", "r3"}) ASSERT_TRUE(history->AddRun(RunOf(run), 1));
  EXPECT_THAT(RunIds(*history), ElementsAre("r3"));
  EXPECT_THAT(Value(history->Removals("r1")), ElementsAre(Gone(a)));
}

TEST_F(RemovalsTest, CannotBeCommittedWithoutABegin) {
  const auto history = Open();
  const auto settled = history->Commit("r1", Id("a"), true);
  ASSERT_FALSE(settled);
  EXPECT_EQ(settled.error().kind, ErrorKind::kNotFound);
  EXPECT_TRUE(history->Commit("r1", Id("a"), false));
  ASSERT_TRUE(history->BeginRemoval(Removal("r1", "a")));
  EXPECT_TRUE(history->Commit("r1", Id("a"), true)) << "an error is not kept for the next call";
}

TEST_F(RemovalsTest, KeepOddValuesAsTheyCan) {
  RemovalEntry odd = Removal("r'1\"", "a");
  odd.names = {"a'b:1", "", "line\nbreak:1", "\xFF\xFE:1"};
  odd.digests = {};
  odd.size_bytes = ~std::uint64_t{0};
  odd.reason = "";
  ASSERT_TRUE(Open()->BeginRemoval(odd));
  odd.names = {"a'b:1", "\xFF\xFE:1"};
  odd.size_bytes = (std::uint64_t{1} << 63) - 1;
  EXPECT_THAT(Value(Open()->Removals("r'1\"")), ElementsAre(odd));
}

TEST_F(RemovalsTest, WithEndlessNamesAreRefused) {
  RemovalEntry entry = Removal("r", "a");
  entry.names.assign(20'000, std::string(100, 'n'));
  const auto history = Open();
  const auto refused = history->BeginRemoval(entry);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kInvalid);
  ASSERT_TRUE(history->BeginRemoval(Removal("r", "b")));
  EXPECT_THAT(Value(history->Removals("")), ElementsAre(Removal("r", "b"))) << "nor does it wait";
}

TEST(NoHistory, KeepsNothingWithoutComplaint) {
  const FakeClock clock;
  const auto history = History::Open({}, clock);
  EXPECT_TRUE(history->BeginRemoval(Removal("r", "a")));
  EXPECT_TRUE(history->Commit("r", Id("a"), true));
  EXPECT_TRUE(history->AddRun(RunOf("r"), 50));
  EXPECT_THAT(RunIds(*history), IsEmpty());
  EXPECT_THAT(Value(history->Removals("")), IsEmpty());
  EXPECT_FALSE(Value(history->Find("")));
  EXPECT_THAT(history->warnings(), IsEmpty());
}

// A write waits for the disk, and a batch has fifty images.
TEST_F(RemovalsTest, AreWrittenAtOnceInATransaction) {
  const auto history = Open();
  ASSERT_TRUE(history->InTransaction([&]() -> Status {
    for (const char* word : {"a", "b", "c"})
      if (auto intended = history->BeginRemoval(Removal("r1", word)); !intended) return intended;
    EXPECT_THAT(*Open()->Removals("r1"), testing::IsEmpty()) << "not yet";
    return history->Commit("r1", Id("b"), true);
  }));
  const auto kept = *Open()->Removals("r1");
  ASSERT_EQ(kept.size(), 3U);
  EXPECT_EQ(std::ranges::count(kept, true, &RemovalEntry::done), 1);

  const auto failed = history->InTransaction([&]() -> Status {
    EXPECT_TRUE(history->BeginRemoval(Removal("r2", "d")));
    return Error{ErrorKind::kInternal, "stopped"};
  });
  EXPECT_EQ(failed.error().what, "stopped");
  EXPECT_EQ(Open()->Removals("r2")->size(), 1U) << "what was said before is kept";
}

}  // namespace
}  // namespace imagesweep
