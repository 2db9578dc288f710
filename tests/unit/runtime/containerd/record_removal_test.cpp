#include "agent/runtime/containerd/record_removal.h"

#include <gmock/gmock.h>

#include <functional>
#include <map>

namespace imagesweep::containerd {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// Names and their targets, with the faults of a test.
struct Names final : RecordStore {
  Result<std::optional<std::string>> Read(const std::string& name) override {
    if (on_read) on_read(name);
    const auto it = there.find(name);
    if (it == there.end()) return std::optional<std::string>();
    known[name] = it->second;
    return std::optional(it->second);
  }
  Status Delete(const Record& record) override {
    done.push_back("delete " + record.name);
    if (fails_to_delete == record.name) return Error{ErrorKind::kUnavailable, "restarting"};
    there.erase(record.name);
    return Done{};
  }
  Status Create(const std::string& of, const std::string& name) override {
    done.push_back("create " + name);
    if (fails_to_create == name) return Error{ErrorKind::kUnavailable, "restarting"};
    there[name] = known.at(of);
    return Done{};
  }
  std::map<std::string, std::string> there = {{"a", "1"}, {"b", "1"}, {"c", "1"}};
  std::map<std::string, std::string> known;
  std::vector<std::string> done;
  std::string fails_to_delete, fails_to_create;
  std::function<void(const std::string&)> on_read;
};

// Refuses at the given call.
struct Says final : DeletionGuard {
  explicit Says(int its_no) : no(its_no) {}
  std::string WhyNot() override { return ++asked == no ? "came into use" : ""; }
  bool StillHolds() override {
    if (holds.empty()) return true;
    const bool held = holds.front();
    holds.erase(holds.begin());
    return held;
  }
  int no, asked = 0;
  std::vector<bool> holds;
};

const std::vector<Record> kThree = {{"a", "1"}, {"b", "1"}, {"c", "1"}};

TEST(RecordRemovalTest, TheGuardIsAskedBeforeTheFirstNameAndBeforeTheLast) {
  Names names;
  Says guard(0);
  EXPECT_EQ(*RemoveRecords(kThree, names, guard), Removal::kRemoved);
  EXPECT_THAT(names.there, IsEmpty());
  EXPECT_EQ(guard.asked, 2);
}

TEST(RecordRemovalTest, AUseThatAppearsBeforeTheFirstNameLeavesAllOfThemAlone) {
  Names names;
  Says guard(1);
  EXPECT_EQ(*RemoveRecords(kThree, names, guard), Removal::Skipped("came into use"));
  EXPECT_THAT(names.done, IsEmpty());
}

TEST(RecordRemovalTest, AUseThatAppearsBeforeTheLastNameGivesTheOthersBack) {
  Names names;
  Says guard(2);
  EXPECT_EQ(*RemoveRecords(kThree, names, guard), Removal::Skipped("came into use"));
  EXPECT_THAT(names.done, ElementsAre("delete a", "delete b", "create a", "create b"));
  EXPECT_EQ(names.there.size(), 3U);
}

// Content of another digest may be collected after its last name is deleted, even if the image has
// more names.
TEST(RecordRemovalTest, TheLastNameOfEachDigestIsAStepThatCannotBeUndone) {
  Names names;
  names.there = {{"a", "1"}, {"b", "2"}, {"c", "1"}, {"d", "2"}};
  const std::vector<Record> records = {{"a", "1"}, {"b", "2"}, {"c", "1"}, {"d", "2"}};
  Says guard(0);
  EXPECT_EQ(*RemoveRecords(records, names, guard), Removal::kRemoved);
  EXPECT_THAT(names.done, ElementsAre("delete a", "delete b", "delete c", "delete d"));
  EXPECT_EQ(guard.asked, 3);
}

TEST(RecordRemovalTest, RestoresDeletedNamesOnAFailure) {
  Names names;
  names.fails_to_delete = "b";
  Says guard(0);
  const auto removed = RemoveRecords(kThree, names, guard);
  ASSERT_FALSE(removed);
  EXPECT_EQ(removed.error().what, "restarting");
  EXPECT_EQ(names.there.size(), 3U);
}

// The last record may be deleted with its content, so names that lead nowhere must not come back.
TEST(RecordRemovalTest, AFailureOfTheLastNameGivesNothingBack) {
  Names names;
  names.fails_to_delete = "c";
  Says guard(0);
  EXPECT_FALSE(RemoveRecords(kThree, names, guard));
  EXPECT_THAT(names.done, ElementsAre("delete a", "delete b", "delete c"));
}

TEST(RecordRemovalTest, ANameThatCannotBeGivenBackIsAFailureThatNamesIt) {
  Names names;
  names.fails_to_create = "b";
  Says guard(2);
  const auto removed = RemoveRecords(kThree, names, guard);
  ASSERT_FALSE(removed);
  EXPECT_THAT(removed.error().what,
              HasSubstr("came into use; could not create these names again: b"));
}

TEST(RecordRemovalTest, RestoresNamesWhenOneNowRefersToAnotherImage) {
  Names names;
  names.there["c"] = "9";
  Says guard(0);
  const auto removed = RemoveRecords(kThree, names, guard);
  ASSERT_FALSE(removed);
  EXPECT_THAT(removed.error().what, HasSubstr("c now refers to another image"));
  EXPECT_THAT(names.there, testing::SizeIs(3));
}

// A recheck takes time, in which the name may move.
TEST(RecordRemovalTest, TheNameIsReadAfterTheGuardAndTheGuardHoldsStill) {
  Names names;
  names.there = {{"a", "1"}};
  int reads = 0;
  names.on_read = [&](const std::string&) { ++reads; };
  Says guard(0);
  guard.holds = {false, true};
  EXPECT_TRUE(RemoveRecords({{"a", "1"}}, names, guard));
  EXPECT_EQ(guard.asked, 2) << "reading took too long";
  EXPECT_EQ(reads, 2);

  names.there = {{"a", "1"}};
  names.done.clear();
  guard.holds = {false, false, false};
  const auto removed = RemoveRecords({{"a", "1"}}, names, guard);
  ASSERT_TRUE(removed);
  EXPECT_EQ(removed->kind, Removal::Kind::kSkipped);
  EXPECT_THAT(names.done, IsEmpty());
}

}  // namespace
}  // namespace imagesweep::containerd
