#include "agent/state/age_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <thread>

#include "agent/state/records.h"
#include "tests/support/fake_clock.h"
#include "tests/unit/state/age_store_files.h"

namespace imagesweep {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using testing::IsEmpty;

constexpr Millis k10Years = hours(24 * 3652);

// Every kind of age store has the same behavior.
class AgeStoreKinds : public testing::TestWithParam<bool> {
 protected:
  std::unique_ptr<AgeStore> Open(const Clock& clock) {
    return GetParam() ? OpenCounting(dir_.path(), clock, "boot") : AgeStore::InMemory(clock);
  }
  TempDir dir_;
  FakeClock clock_;
};
INSTANTIATE_TEST_SUITE_P(AgeStore, AgeStoreKinds, testing::Bool(),
                         [](const auto& kind) { return kind.param ? "File" : "Memory"; });

// K03: the kubelet's tests of records of new, stopped, and removed images.
TEST_P(AgeStoreKinds, FollowsImagesThatComeAreUsedAndGo) {
  const auto age_store = Open(clock_);
  const auto zero = clock_.Now();
  auto ages = age_store->Observe(Images({"0", "1"}), {false, true});
  EXPECT_EQ(ages[0].first_seen, zero);
  EXPECT_TRUE(ages[0].just_seen);
  EXPECT_FALSE(ages[0].last_used);
  EXPECT_EQ(ages[1].last_used, zero);

  clock_.Advance(seconds(1));
  const auto one = clock_.Now();
  ages = age_store->Observe(Images({"0", "1", "2"}), {false, true, false});
  EXPECT_EQ(ages[0].first_seen, zero);
  EXPECT_FALSE(ages[0].just_seen);
  EXPECT_EQ(ages[0].unused_for, seconds(1));
  EXPECT_EQ(ages[1].last_used, one);
  EXPECT_EQ(ages[1].unused_for, Millis(0));
  EXPECT_EQ(ages[2].first_seen, one);
  EXPECT_TRUE(ages[2].just_seen);
  EXPECT_EQ(ages[2].unused_for, Millis(0));

  clock_.Advance(seconds(1));  // the container stopped
  ages = LookIdle(*age_store, Images({"0", "1", "2"}));
  EXPECT_EQ(ages[1].last_used, one);
  EXPECT_EQ(ages[1].first_seen, zero);

  clock_.Advance(seconds(1));
  EXPECT_THAT(LookIdle(*age_store, {}), IsEmpty());

  clock_.Advance(seconds(1));
  ages = LookIdle(*age_store, Images({"1"}));
  EXPECT_EQ(ages[0].first_seen, clock_.Now());
  EXPECT_TRUE(ages[0].just_seen);
  EXPECT_FALSE(ages[0].last_used);
  EXPECT_EQ(ages[0].unused_for, Millis(0));
  EXPECT_THAT(age_store->warnings(), IsEmpty());
}

// An older version also recorded tags, under IDs such as this.
TEST_P(AgeStoreKinds, DropsEntriesThatAreNoImagesAtTheNextObservation) {
  const auto age_store = Open(clock_);
  std::vector<Image> with_tag = Images({"0"});
  with_tag.push_back(with_tag[0]);
  with_tag[1].id = ImageId("tag:app:1@" + with_tag[0].id.text());
  LookIdle(*age_store, with_tag);
  clock_.Advance(hours(1));
  const auto ages = LookIdle(*age_store, Images({"0"}));
  EXPECT_EQ(ages[0].unused_for, hours(1));
  EXPECT_TRUE(LookIdle(*age_store, with_tag)[1].just_seen);
}

// Without this, an image that is removed and pulled between two observations would be removed again
// at once.
TEST_P(AgeStoreKinds, AForgottenImageStartsAfresh) {
  const auto age_store = Open(clock_);
  age_store->Forget({ImageId(Id("0"))});  // nothing is known yet
  LookIdle(*age_store, Images({"0", "1"}));
  clock_.Advance(hours(1));
  LookIdle(*age_store, Images({"0", "1"}));
  age_store->CountCandidates(Images({"0", "1"}), {true, true});
  clock_.Advance(seconds(1));
  age_store->Forget({ImageId(Id("0")), ImageId(Id("unknown"))});

  clock_.Advance(seconds(1));
  const auto ages = LookIdle(*age_store, Images({"0", "1"}));
  EXPECT_EQ(ages[0].first_seen, clock_.Now());
  EXPECT_TRUE(ages[0].just_seen);
  EXPECT_EQ(ages[0].unused_for, Millis(0));
  EXPECT_EQ(ages[1].unused_for, hours(1) + seconds(2));
  EXPECT_THAT(age_store->CountCandidates(Images({"0", "1"}), {true, true}),
              testing::ElementsAre(1, 2));
  EXPECT_THAT(age_store->warnings(), IsEmpty());
}

// With a digest name, as after a pull.
std::vector<Image> Pulled(bool tag) {
  std::vector<Image> images{Img("moved", {"app:1"}), Img("by digest", {"db:1"})};
  images[1].tags.clear();
  if (!tag) images[0].tags.clear();
  return images;
}

TEST_P(AgeStoreKinds, ReportsALostTagOnlyOfAnImageThatItListedWithOne) {
  const auto age_store = Open(clock_);
  EXPECT_FALSE(LookIdle(*age_store, Pulled(true))[0].lost_tag);
  clock_.Advance(seconds(1));
  const auto ages = LookIdle(*age_store, Pulled(false));
  EXPECT_TRUE(ages[0].lost_tag);
  EXPECT_THAT(ages[0].lost_tags, testing::ElementsAre(ImageName::Parse("app:1")));
  EXPECT_FALSE(ages[1].lost_tag);
  EXPECT_THAT(ages[1].lost_tags, IsEmpty());
  clock_.Advance(seconds(1));
  EXPECT_FALSE(LookIdle(*age_store, Pulled(true))[0].lost_tag);
}

TEST(AgeStoreFile, RemembersALostTagAcrossARestart) {
  const TempDir dir;
  const FakeClock clock;
  LookIdle(*OpenCounting(dir.path(), clock, "boot"), Pulled(true));
  const std::vector<ImageName> tags{ImageName::Parse("app:1"), ImageName::Parse("app:1.0")};
  auto tagged = Pulled(true);
  tagged[0].tags = tags;
  clock.Advance(seconds(1));
  LookIdle(*OpenCounting(dir.path(), clock, "boot"), tagged);
  clock.Advance(seconds(1));
  const auto ages = LookIdle(*OpenCounting(dir.path(), clock, "boot"), Pulled(false));
  EXPECT_TRUE(ages[0].lost_tag);
  EXPECT_EQ(ages[0].lost_tags, tags);
}

// The limit bounds the memory.  Without the tags, it is not known which tag an image lost.
TEST_P(AgeStoreKinds, RemembersNoTagsOnANodeWithTooManyImages) {
  const auto age_store = Open(clock_);
  auto images = Pulled(true);
  for (std::size_t i = images.size(); i <= kMostImagesWithTags; ++i)
    images.push_back(Img("other " + std::to_string(i), {"other:" + std::to_string(i)}));
  LookIdle(*age_store, images);
  clock_.Advance(seconds(1));
  images[0].tags.clear();
  const ImageAge age = LookIdle(*age_store, images)[0];
  EXPECT_TRUE(age.lost_tag);
  EXPECT_THAT(age.lost_tags, IsEmpty());
}

// A pull by digest pins the image, even if it had a tag before.
TEST(AgeStoreFile, ForgetsTheTagOfAnImageThatIsPulledByDigest) {
  const TempDir dir;
  const FakeClock clock;
  const auto age_store = OpenCounting(dir.path(), clock, "boot");
  LookIdle(*age_store, Pulled(true));
  clock.Advance(seconds(1));
  const auto untagged = Pulled(false);
  ASSERT_TRUE(LookIdle(*age_store, untagged)[0].lost_tag);
  Sql(dir.file(), "INSERT INTO recent_use VALUES ('came-again " + untagged[0].id.text() + "')");
  for (int observation = 0; observation < 2; ++observation) {
    clock.Advance(seconds(1));
    EXPECT_FALSE(LookIdle(*age_store, untagged)[0].lost_tag);
  }
}

// As a job does that pulls by digest and runs at once.
TEST(AgeStoreFile, ForgetsTheTagOfAnImageThatIsPulledByDigestAndUsed) {
  const TempDir dir;
  const FakeClock clock;
  const auto age_store = OpenCounting(dir.path(), clock, "boot");
  LookIdle(*age_store, Pulled(true));
  const auto untagged = Pulled(false);
  const std::string id = untagged[0].id.text();
  Sql(dir.file(), "INSERT INTO recent_use VALUES ('came-again " + id + "'), ('" + id + "')");
  for (int observation = 0; observation < 2; ++observation) {
    clock.Advance(seconds(1));
    EXPECT_FALSE(LookIdle(*age_store, untagged)[0].lost_tag);
  }
}

// The image may have been pulled by its digest in the gap.
TEST(AgeStoreFile, ForgetsTheTagOfAnImageAfterAGap) {
  const TempDir dir;
  const FakeClock clock;
  LookIdle(*OpenCounting(dir.path(), clock, "boot"), Pulled(true));
  clock.Advance(seconds(1));
  const auto untagged = Pulled(false);
  ASSERT_TRUE(LookIdle(*OpenCounting(dir.path(), clock, "boot"), untagged)[0].lost_tag);
  clock.Advance(seconds(1));
  LookIdle(*AgeStore::Open(dir.path(), clock, "boot"), untagged);
  clock.Advance(seconds(1));
  EXPECT_FALSE(LookIdle(*OpenCounting(dir.path(), clock, "boot"), untagged)[0].lost_tag);
}

// A pull by digest would leave a name with the digest.
TEST(AgeStoreFile, RemembersAcrossAGapThatAnImageWithoutANameHadATag) {
  const TempDir dir;
  const FakeClock clock;
  LookIdle(*OpenCounting(dir.path(), clock, "boot"), Pulled(true));
  clock.Advance(seconds(1));
  auto nameless = Pulled(false);
  for (Image& image : nameless) image.digests.clear();
  LookIdle(*AgeStore::Open(dir.path(), clock, "boot"), nameless);
  clock.Advance(seconds(1));
  const auto ages = LookIdle(*OpenCounting(dir.path(), clock, "boot"), nameless);
  EXPECT_TRUE(ages[0].lost_tag);
  EXPECT_FALSE(ages[1].lost_tag) << "nothing ever listed it with a tag";
}

TEST_P(AgeStoreKinds, BelievesARecordOfTheRuntimeThatAnImageHadATag) {
  auto images = Pulled(false);
  images[0].had_tag = true;
  const auto ages = LookIdle(*Open(clock_), images);
  EXPECT_TRUE(ages[0].lost_tag);
  EXPECT_THAT(ages[0].lost_tags, IsEmpty()) << "it does not tell which";
  EXPECT_FALSE(ages[1].lost_tag);
}

TEST(AgeStoreFile, ForgetsAnImageThatAnotherProcessForgot) {
  const TempDir dir;
  FakeClock clock;
  const auto agent = OpenCounting(dir.path(), clock, "boot");
  LookIdle(*agent, Images({"0"}));
  clock.Advance(hours(1));
  LookIdle(*agent, Images({"0"}));
  OpenCounting(dir.path(), clock, "boot")->Forget({ImageId(Id("0"))});
  EXPECT_EQ(LookIdle(*agent, Images({"0"}))[0].unused_for, Millis(0));
}

// K11, for the age store: the age counts from the first observation that found the image unused.
TEST_P(AgeStoreKinds, CountsFromWhenItWasObservedToBeUnused) {
  const auto age_store = Open(clock_);
  const auto images = Images({"0", "1"});
  EXPECT_EQ(age_store->Observe(images, {false, true})[0].unused_for, Millis(0));
  clock_.Advance(seconds(60));
  auto ages = LookIdle(*age_store, images);
  EXPECT_EQ(ages[0].unused_for, seconds(60));
  EXPECT_EQ(ages[1].unused_for, Millis(0)) << "it may have been used until just before this look";
  clock_.Advance(Millis(1));
  ages = LookIdle(*age_store, images);
  EXPECT_EQ(ages[0].unused_for, Millis(60'001));
  EXPECT_EQ(ages[1].unused_for, Millis(1));
  ages = age_store->Observe(images, {true, false});
  EXPECT_EQ(ages[0].unused_for, Millis(0));
}

TEST_P(AgeStoreKinds, JumpsOfTheWallClockDoNotCount) {
  for (const Millis jump : {k10Years, -k10Years}) {
    const auto age_store = Open(clock_);
    const auto images = Images({"a"});
    LookIdle(*age_store, {});
    LookIdle(*age_store, images);
    clock_.Advance(seconds(5));
    clock_.JumpWallClock(jump);
    EXPECT_EQ(LookIdle(*age_store, images)[0].unused_for, seconds(5));
    clock_.Advance(seconds(5));
    clock_.JumpWallClock(-jump);
    EXPECT_EQ(LookIdle(*age_store, images)[0].unused_for, seconds(10));
  }
}

// X07: while a machine is suspended, the monotonic clock stops and the wall clock continues.
TEST_P(AgeStoreKinds, SuspensionIsNeitherUseNorIdleness) {
  const auto age_store = Open(clock_);
  const auto images = Images({"a"});
  LookIdle(*age_store, images);
  clock_.Advance(seconds(30));
  LookIdle(*age_store, images);
  clock_.JumpWallClock(hours(12));
  const auto ages = LookIdle(*age_store, images);
  EXPECT_EQ(ages[0].unused_for, seconds(30));
  EXPECT_FALSE(ages[0].last_used);
}

TEST_P(AgeStoreKinds, AnImageListedTwiceIsUsedWhenEitherIs) {
  const auto age_store = Open(clock_);
  const auto images = Images({"a", "a"});
  LookIdle(*age_store, images);
  clock_.Advance(seconds(3));
  EXPECT_EQ(LookIdle(*age_store, images)[1].unused_for, seconds(3));
  const auto ages = age_store->Observe(images, {true, false});
  EXPECT_EQ(ages[0].unused_for, Millis(0));
  EXPECT_EQ(ages[1].unused_for, Millis(0));
}

// K13: the idle time survives a restart, and is never longer than the real time.
TEST(AgeStoreFile, IdleTimeSurvivesARestart) {
  const TempDir dir;
  const FakeClock clock;
  const auto images = Images({"a"});
  {
    const auto age_store = OpenCounting(dir.path(), clock, "boot");
    EXPECT_TRUE(age_store->durable());
    LookIdle(*age_store, images);
    clock.Advance(seconds(50));
    LookIdle(*age_store, images);
  }
  clock.Advance(seconds(9));
  const auto age_store = OpenCounting(dir.path(), clock, "boot");
  auto ages = LookIdle(*age_store, images);
  EXPECT_EQ(ages[0].unused_for, seconds(59));
  EXPECT_FALSE(ages[0].just_seen);
  clock.Advance(Millis(1001));
  EXPECT_EQ(LookIdle(*age_store, images)[0].unused_for, Millis(60'001));
  EXPECT_THAT(age_store->warnings(), IsEmpty());
}

TEST(AgeStoreFile, AcrossARestartTheSmallerOfBothClocksCounts) {
  struct {
    const char* boot;
    Millis monotonic;  // passes
    Millis wall;       // jumps besides
    Millis counted;
  } cases[] = {
      {"boot", seconds(9), Millis(0), seconds(9)},
      {"boot", seconds(9), k10Years, seconds(9)},
      {"boot", seconds(9), -k10Years, seconds(0)},
      {"boot", seconds(9), -seconds(5), seconds(4)},
      {"boot", Millis(0), hours(12), seconds(0)},
      {"boot", -seconds(100), seconds(200), seconds(0)},  // another machine's clock
  };
  for (const auto& c : cases) {
    const TempDir dir;
    FakeClock clock;
    const auto images = Images({"a"});
    {
      const auto age_store = OpenCounting(dir.path(), clock, "boot");
      LookIdle(*age_store, images);
      clock.Advance(seconds(50));
      LookIdle(*age_store, images);
    }
    clock.Advance(c.monotonic);
    clock.JumpWallClock(c.wall);
    const auto age_store = OpenCounting(dir.path(), clock, c.boot);
    EXPECT_EQ(LookIdle(*age_store, images)[0].unused_for, seconds(50) + c.counted) << c.boot;
    clock.Advance(seconds(1));
    EXPECT_EQ(LookIdle(*age_store, images)[0].unused_for, seconds(51) + c.counted);
  }
}

TEST(AgeStoreFile, TwoUnknownBootsAreNotTheSame) {
  const TempDir dir;
  const FakeClock clock;
  const auto images = Images({"a"});
  LookIdle(*OpenCounting(dir.path(), clock, ""), images);
  clock.Advance(seconds(9));
  const auto age_store = OpenCounting(dir.path(), clock, "");
  EXPECT_EQ(LookIdle(*age_store, images)[0].unused_for, Millis(0));
  clock.Advance(seconds(9));
  EXPECT_EQ(LookIdle(*age_store, images)[0].unused_for, seconds(9)) << "one process is one boot";
}

TEST(AgeStoreFile, CountsTheTimeOfTwoProcessesOnce) {
  const TempDir dir;
  const FakeClock clock;
  const auto images = Images({"a", "b"});
  const auto agent = OpenCounting(dir.path(), clock, "boot");
  const auto cli = OpenCounting(dir.path(), clock, "boot");
  LookIdle(*agent, images);
  for (int i = 1; i <= 10; ++i) {
    clock.Advance(seconds(1));
    EXPECT_EQ(LookIdle(i % 2 == 0 ? *agent : *cli, images)[0].unused_for, seconds(i));
  }
  cli->Observe(images, {true, false});
  clock.Advance(seconds(1));
  EXPECT_EQ(LookIdle(*agent, images)[0].unused_for, Millis(0)) << "the other process saw the use";
  EXPECT_EQ(LookIdle(*agent, images)[1].unused_for, seconds(11));
  EXPECT_THAT(agent->warnings(), IsEmpty());
  EXPECT_THAT(cli->warnings(), IsEmpty());
}

TEST(AgeStoreFile, ConcurrentLooksNeverCountMoreThanPassed) {
  const TempDir dir;
  const RealClock clock{};
  const auto images = Images({"a"});
  const auto begin = clock.Steady();
  const auto look = [&] {
    const auto age_store = OpenCounting(dir.path(), clock, "boot");
    Millis before{0};
    for (int i = 0; i < 25; ++i) {
      const auto age = LookIdle(*age_store, images)[0].unused_for;
      EXPECT_GE(age, before);
      EXPECT_LE(age, clock.Steady() - begin);
      before = age;
    }
  };
  {
    const std::jthread one(look);
    const std::jthread two(look);
  }
  const auto age = LookIdle(*OpenCounting(dir.path(), clock, "boot"), images)[0].unused_for;
  EXPECT_LE(age, clock.Steady() - begin);
}

// X07: on a new node, or after a loss of the state, every image was just seen.
TEST(AgeStoreFile, LostStateMakesEverythingJustSeen) {
  const TempDir dir;
  const FakeClock clock;
  std::vector<Image> images;
  images.reserve(200);
  for (int i = 0; i < 200; ++i) images.push_back(Img("i" + std::to_string(i), {"a:1"}));
  LookIdle(*OpenCounting(dir.path(), clock, "boot"), images);
  clock.Advance(hours(1000));
  EXPECT_EQ(LookIdle(*OpenCounting(dir.path(), clock, "boot"), images)[7].unused_for, hours(24))
      << "what is accepted counts a day at most";
  std::filesystem::remove(dir.file());
  for (const auto& age : LookIdle(*OpenCounting(dir.path(), clock, "boot"), images)) {
    EXPECT_TRUE(age.just_seen);
    EXPECT_EQ(age.unused_for, Millis(0));
    EXPECT_EQ(age.first_seen, clock.Now());
  }
}

TEST(AgeStoreFile, RestoresADeletedFileFromMemory) {
  const TempDir dir;
  const FakeClock clock;
  const auto images = Images({"a"});
  const auto age_store = OpenCounting(dir.path(), clock, "boot");
  LookIdle(*age_store, images);
  std::filesystem::remove(dir.file());
  clock.Advance(seconds(5));
  EXPECT_EQ(LookIdle(*age_store, images)[0].unused_for, seconds(5));
  EXPECT_FALSE(age_store->durable());
  EXPECT_EQ(age_store->warnings().size(), 1U);
  clock.Advance(seconds(5));
  EXPECT_LE(LookIdle(*age_store, images)[0].unused_for, seconds(10));
  EXPECT_TRUE(age_store->durable());
  EXPECT_TRUE(std::filesystem::exists(dir.file()));
}

TEST(AgeStoreFile, IsForItsOwnerAlone) {
  const TempDir dir;
  const FakeClock clock;
  const auto made = dir.path() / "a" / "state";
  LookIdle(*OpenCounting(made, clock, "boot"), Images({"a"}));
  struct stat info {};
  ASSERT_EQ(stat(made.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0700U);
  ASSERT_EQ(stat((made / "ledger.db").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600U);
}

TEST(AgeStoreFile, ManyImagesAreNoBurden) {
  const TempDir dir;
  const FakeClock clock;
  std::vector<Image> images(10'000);
  for (std::size_t i = 0; i < images.size(); ++i) images[i].id = ImageId(Id(std::to_string(i)));
  LookIdle(*OpenCounting(dir.path(), clock, "boot"), images);
  clock.Advance(seconds(1));
  const RealClock real;
  const auto begin = real.Steady();
  const auto ages = LookIdle(*OpenCounting(dir.path(), clock, "boot"), images);
  const auto took = std::chrono::duration_cast<Millis>(real.Steady() - begin);
  EXPECT_EQ(ages.size(), images.size());
  EXPECT_EQ(ages.back().unused_for, seconds(1));
  RecordProperty("load_and_look_ms", static_cast<int>(took.count()));
  EXPECT_LT(took, seconds(10)) << "a sanitizer on a busy machine may be slow, but not that slow";
}

}  // namespace
}  // namespace imagesweep
