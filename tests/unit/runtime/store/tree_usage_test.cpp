#include "agent/runtime/store/tree_usage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/runtime/store/made_up_store.h"

namespace imagesweep::store {
namespace {

class TreeUsageTest : public testing::Test {
 protected:
  Result<TreeUsage> Measure(const std::stop_token& stop = {}) {
    return MeasureTree(*Directory::Open(scratch_.path().string()), "tree", stop);
  }
  const Scratch scratch_;
  const fs::path tree_ = scratch_.path() / "tree";
};

TEST_F(TreeUsageTest, IsWhatDuCounts) {
  for (std::size_t i = 0; i < 300; ++i)
    Write(tree_ / std::to_string(i % 7) / std::to_string(i), std::string(97 * i, 'x'));
  fs::create_hard_link(tree_ / "1/1", tree_ / "2/again");
  fs::create_symlink("/usr", tree_ / "usr");
  fs::create_symlink(std::string(100, 'x'), tree_ / "long link");
  const auto usage = Measure();
  ASSERT_TRUE(usage);
  EXPECT_EQ(usage->usage.bytes, Du(tree_).bytes);
  EXPECT_EQ(usage->usage.inodes, Du(tree_).inodes);
  EXPECT_EQ(usage->linked_outside, 0U);
}

TEST_F(TreeUsageTest, CountsASingleFile) {
  Write(tree_, "text");
  EXPECT_EQ(Measure()->usage.inodes, 1U);
}

TEST_F(TreeUsageTest, CountsTheLinkWhenTheTreeIsOne) {
  Write(scratch_.path() / "other/file", std::string(100'000, 'x'));
  fs::create_directory_symlink("other", tree_);
  EXPECT_EQ(Measure()->usage.inodes, 1U);
}

TEST_F(TreeUsageTest, LeavesOutFilesWithANameOutside) {
  Write(tree_ / "file", std::string(100'000, 'x'));
  fs::create_hard_link(tree_ / "file", scratch_.path() / "outside");
  const auto usage = Measure();
  EXPECT_EQ(usage->usage.inodes, 1U);
  EXPECT_EQ(usage->linked_outside, 1U);
}

TEST_F(TreeUsageTest, IsIncompleteWhenNestedTooDeep) {
  fs::path deep = tree_;
  for (int i = 0; i < 300; ++i) deep /= "d";
  fs::create_directories(deep);
  EXPECT_EQ(Measure().error().kind, ErrorKind::kIncomplete);
}

TEST_F(TreeUsageTest, StopsWithinAThousandEntries) {
  fs::create_directories(tree_);
  for (int i = 0; i < 1100; ++i) Write(tree_ / std::to_string(i), "");
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(Measure(stop.get_token()).error().kind, ErrorKind::kCancelled);
}

TEST_F(TreeUsageTest, IsNotFoundWithoutATree) {
  EXPECT_EQ(Measure().error().kind, ErrorKind::kNotFound);
}

TEST_F(TreeUsageTest, DirectoryRefusesNamesThatLeadElsewhere) {
  const auto top = Directory::Open(scratch_.path().string());
  for (const std::string_view name : {"", ".", "..", "a/b", "/etc", "../x"}) {
    EXPECT_EQ(top->Stat(name).error().kind, ErrorKind::kInvalid) << name;
    EXPECT_EQ(top->Sub(name).error().kind, ErrorKind::kInvalid) << name;
    EXPECT_EQ(top->Read(name, 10).error().kind, ErrorKind::kInvalid) << name;
  }
  EXPECT_EQ(top->Below("..").error().kind, ErrorKind::kInvalid);
}

TEST_F(TreeUsageTest, DirectoryReadsNothingLongerThanAllowedAndNoLinksOrPipes) {
  const auto top = Directory::Open(scratch_.path().string());
  Write(scratch_.path() / "text", "12345");
  EXPECT_EQ(*top->Read("text", 5), "12345");
  EXPECT_EQ(top->Read("text", 4).error().kind, ErrorKind::kIncomplete);
  fs::create_symlink("text", scratch_.path() / "link");
  EXPECT_EQ(top->Read("link", 5).error().kind, ErrorKind::kIncomplete);
  ASSERT_EQ(mkfifo((scratch_.path() / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(top->Read("pipe", 5).error().kind, ErrorKind::kIncomplete);
  EXPECT_EQ(top->List(2).error().kind, ErrorKind::kIncomplete);
}

}  // namespace
}  // namespace imagesweep::store
