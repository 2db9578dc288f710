#include "agent/gc/remove/archiving_remover.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/images.h"
#include "tests/support/open_guard.h"

namespace imagesweep {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// Both record their calls in one list.
struct MetadataSnapshot {
  std::vector<std::string> done;
  std::string archive_fails;  // of which image
  bool copies_are_there = true;
};

class Remover final : public ImageRemover {
 public:
  explicit Remover(MetadataSnapshot& world) : world_(world) {}
  std::size_t batch_size() const override { return 7; }
  std::size_t in_flight() const override { return 3; }
  Status BeginBatch(const std::vector<const Image*>& images, const std::stop_token&) override {
    world_.done.push_back("begin " + std::to_string(images.size()));
    return Done{};
  }
  bool StillHolds(const std::vector<Image>&) override { return false; }
  std::string ReasonToSkip(const Image& image) override {
    world_.done.push_back("ask " + image.display_name());
    return "the other one's reason";
  }
  Status Reclaim(const std::stop_token&) override {
    world_.done.emplace_back("end");
    return Error{ErrorKind::kDeadline, "no end"};
  }
  Result<Removal> Remove(const Image& image, DeletionGuard&, const std::stop_token&) override {
    world_.done.push_back("remove " + image.display_name());
    return Removal::kRemoved;
  }

 private:
  MetadataSnapshot& world_;
};

class Archiver final : public ImageArchiver {
 public:
  explicit Archiver(MetadataSnapshot& world) : world_(world) {}
  Result<std::string> Archive(const Image& image, const std::stop_token&) override {
    world_.done.push_back("archive " + image.display_name());
    if (image.display_name() == world_.archive_fails)
      return Error{ErrorKind::kUnavailable, "no space left"};
    return "/archive/" + image.id.text();
  }
  bool Has(const Image&) override { return world_.copies_are_there; }

 private:
  MetadataSnapshot& world_;
};

class ArchivingRemoverTest : public testing::Test {
 protected:
  MetadataSnapshot world_;
  Remover real_{world_};
  OpenGuard guard_;
  Archiver archiver_{world_};
  ArchivingRemover remover_{real_, archiver_};
  const Image pulled_ = Img("a", {"r.example/pulled:v1"});
  const Image built_ = [] {
    Image image = Img("b", {"r.example/built:v1"});
    MakeLocal(image);
    return image;
  }();
};

TEST_F(ArchivingRemoverTest, ArchivesLocalOnlyImagesBeforeTheRecheck) {
  EXPECT_TRUE(remover_.BeginBatch({&pulled_, &built_}, {}));
  EXPECT_TRUE(remover_.Remove(pulled_, guard_, {}));
  EXPECT_TRUE(remover_.Remove(built_, guard_, {}));
  EXPECT_THAT(world_.done, ElementsAre("archive r.example/built:v1", "begin 2",
                                       "remove r.example/pulled:v1", "remove r.example/built:v1"));
}

TEST_F(ArchivingRemoverTest, KeepsOnlyTheImageWhoseArchiveFails) {
  world_.archive_fails = "r.example/built:v1";
  EXPECT_TRUE(remover_.BeginBatch({&pulled_, &built_}, {}));
  EXPECT_THAT(remover_.ReasonToSkip(built_), HasSubstr("so it stays: no space left"));
  const auto removed = remover_.Remove(built_, guard_, {});
  ASSERT_FALSE(removed);
  EXPECT_EQ(removed.error().kind, ErrorKind::kIncomplete);
  EXPECT_THAT(removed.error().what, HasSubstr("so it stays: no space left"));
  EXPECT_TRUE(remover_.Remove(pulled_, guard_, {}));
  EXPECT_THAT(world_.done,
              ElementsAre("archive r.example/built:v1", "begin 2", "remove r.example/pulled:v1"));
}

TEST_F(ArchivingRemoverTest, KeepsAnImageWhoseArchiveDisappeared) {
  EXPECT_TRUE(remover_.BeginBatch({&pulled_, &built_}, {}));
  EXPECT_EQ(remover_.ReasonToSkip(built_), "the other one's reason");
  world_.copies_are_there = false;
  EXPECT_THAT(remover_.ReasonToSkip(built_), HasSubstr("its archive no longer exists"));
  const auto removed = remover_.Remove(built_, guard_, {});
  ASSERT_FALSE(removed);
  EXPECT_THAT(removed.error().what, HasSubstr("its archive no longer exists"));
  EXPECT_TRUE(remover_.Remove(pulled_, guard_, {}));
  EXPECT_THAT(world_.done, ElementsAre("archive r.example/built:v1", "begin 2",
                                       "ask r.example/built:v1", "remove r.example/pulled:v1"));
}

TEST_F(ArchivingRemoverTest, LeavesOtherDecisionsToTheWrappedRemover) {
  EXPECT_TRUE(remover_.BeginBatch({&pulled_}, {}));
  EXPECT_EQ(remover_.ReasonToSkip(pulled_), "the other one's reason");
  EXPECT_THAT(remover_.ReasonToSkip(built_), HasSubstr("was not archived"));
  EXPECT_THAT(world_.done, ElementsAre("begin 1", "ask r.example/pulled:v1"));
}

TEST_F(ArchivingRemoverTest, KeepsAnImageArchivedOnlyInAnEarlierBatch) {
  EXPECT_TRUE(remover_.BeginBatch({&built_}, {}));
  EXPECT_TRUE(remover_.BeginBatch({&pulled_}, {}));
  EXPECT_FALSE(remover_.Remove(built_, guard_, {}));
  EXPECT_FALSE(ArchivingRemover(real_, archiver_).Remove(built_, guard_, {}));
  EXPECT_THAT(world_.done, ElementsAre("archive r.example/built:v1", "begin 1", "begin 1"));
}

TEST_F(ArchivingRemoverTest, BeginsNothingAfterAStopRequest) {
  std::stop_source stop;
  stop.request_stop();
  EXPECT_FALSE(remover_.BeginBatch({&built_}, stop.get_token()));
  EXPECT_THAT(world_.done, IsEmpty());
}

TEST_F(ArchivingRemoverTest, ForwardsAllOtherCallsToTheWrappedRemover) {
  EXPECT_EQ(remover_.batch_size(), 7U);
  EXPECT_EQ(remover_.in_flight(), 3U);
  EXPECT_FALSE(remover_.StillHolds({}));
  EXPECT_FALSE(remover_.Reclaim({}));
  EXPECT_THAT(world_.done, ElementsAre("end"));
}

}  // namespace
}  // namespace imagesweep
