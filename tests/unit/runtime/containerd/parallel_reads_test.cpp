#include "agent/base/parallel_for.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <future>
#include <latch>
#include <map>
#include <memory>
#include <mutex>
#include <set>

#include "agent/runtime/containerd/metadata_reader.h"
#include "tests/unit/runtime/containerd/fake_containerd.h"

namespace imagesweep::containerd {
namespace {

using layers::Snapshot;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::chrono::seconds kLong(10);

TEST(ParallelForTest, StartsNoThreadWithoutCalls) {
  EXPECT_THAT(ParallelFor(0, [](std::size_t) { return std::this_thread::get_id(); }), IsEmpty());
  EXPECT_THAT(ParallelFor(1, [](std::size_t) { return std::this_thread::get_id(); }),
              ElementsAre(std::this_thread::get_id()));
}

TEST(ParallelForTest, ReturnsEachResultByItsNumber) {
  const auto squares = ParallelFor(100, [](std::size_t number) { return number * number; });
  ASSERT_THAT(squares, SizeIs(100));
  for (std::size_t number = 0; number < squares.size(); ++number)
    EXPECT_EQ(squares[number], number * number);
}

// The latch opens at the maximum number of parallel calls, and no wave has more.
TEST(ParallelForTest, NoMoreThanItsShareIsUnderWay) {
  std::latch all_there(kMaxParallelCalls);
  std::atomic<std::size_t> under_way = 0, most = 0;
  ParallelFor(5 * kMaxParallelCalls, [&](std::size_t number) {
    const std::size_t now = ++under_way;
    for (std::size_t seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
    }
    if (number < kMaxParallelCalls) all_there.arrive_and_wait();
    --under_way;
    return number;
  });
  EXPECT_EQ(most, kMaxParallelCalls);
}

TEST(ParallelForTest, AfterTheEndNoCallBeginsAndNoneBeforeItIsMissing) {
  constexpr std::size_t kCount = 1000;
  const auto begun = [](const auto& results) {
    const auto gap = std::ranges::find_if(results, [](const auto& one) { return !one; });
    EXPECT_TRUE(std::all_of(gap, results.end(), [](const auto& one) { return !one; })) << "a gap";
    return static_cast<std::size_t>(gap - results.begin());
  };
  const auto call = [](std::size_t number) { return number; };
  EXPECT_GT(begun(ParallelFor(kCount, call, [](std::size_t number) { return number == 20; })), 20U);
  // Each thread sees an end immediately.
  EXPECT_LE(begun(ParallelFor(kCount, call, [](std::size_t) { return true; })), kMaxParallelCalls);
}

std::string DigestOf(std::size_t number) {
  const std::string digits = std::to_string(number);
  return "sha256:" + std::string(64 - digits.size(), '0') + digits;
}

std::size_t NumberOf(const std::string& digest) {
  return std::stoul(digest.substr(digest.find(':') + 1));
}

// A node with many images: each has a config and a snapshot that contain its number.
class CollectManyTest : public testing::Test {
 protected:
  void Fill(std::size_t count) {
    auto& space = fake_.namespaces["k8s.io"];
    images_.resize(count);
    for (std::size_t number = 0; number < count; ++number) {
      const std::string digest = DigestOf(number), step = "STEP " + std::to_string(number);
      images_[number].id = ImageId(digest);
      space.blobs[digest] = {R"({"history": [{"created_by": ")" + step + R"("}]})", {}};
      space.snapshots[digest].bytes = BytesOf(number);
    }
  }
  static std::int64_t BytesOf(std::size_t number) {
    return static_cast<std::int64_t>(4096 * (number + 1));
  }
  layers::MetadataSnapshot ReadSnapshot() {
    auto metadata = metadata_reader_.ReadSnapshot(images_, stop_.get_token());
    if (!metadata) throw std::runtime_error(metadata.error().what);
    return *std::move(metadata);
  }
  // Snapshots with their own bytes, by number.
  static std::set<std::size_t> Known(const layers::MetadataSnapshot& metadata) {
    std::set<std::size_t> known;
    for (const Snapshot& snapshot : metadata.snapshots()) {
      if (snapshot.bytes == Snapshot::kUnread) continue;
      const std::size_t number = NumberOf(metadata.keys().Text(snapshot.key));
      EXPECT_EQ(snapshot.bytes, static_cast<std::uint64_t>(BytesOf(number)));
      known.insert(number);
    }
    return known;
  }
  // Images with their own history, by number.
  static std::set<std::size_t> WithHistory(const layers::MetadataSnapshot& metadata) {
    std::set<std::size_t> known;
    for (const auto& facts : metadata.facts()) {
      const std::size_t number = NumberOf(metadata.keys().Text(facts.id));
      EXPECT_EQ(facts.history.size(), 1U);
      EXPECT_EQ(metadata.keys().Text(facts.history.at(0).created_by),
                "STEP " + std::to_string(number));
      known.insert(number);
    }
    return known;
  }
  static std::set<std::size_t> AllBut(std::size_t count, const std::set<std::size_t>& those) {
    std::set<std::size_t> numbers;
    for (std::size_t number = 0; number < count; ++number)
      if (!those.contains(number)) numbers.insert(number);
    return numbers;
  }

  FakeContainerd fake_;
  RealClock clock_;
  std::vector<Image> images_;
  std::stop_source stop_;
  MetadataReader metadata_reader_{fake_.Channel(), clock_, {.disk = {}, .configs = true}};
};

TEST_F(CollectManyTest, ReportsUnreadUsagesOnceAndReadsTheOthers) {
  Fill(50);
  fake_.on_object = [](const std::string& method, const std::string& object) -> grpc::Status {
    const std::size_t number = NumberOf(object);
    if (method != "Snapshots.Usage" || (number != 7 && number != 30)) return grpc::Status::OK;
    return {grpc::StatusCode::INTERNAL, "no usage of " + std::to_string(number)};
  };
  const auto metadata = ReadSnapshot();
  ASSERT_THAT(metadata.unread(), SizeIs(1));
  EXPECT_EQ(metadata.unread()[0].what, layers::Unread::What::kObjects);
  EXPECT_THAT(metadata.unread()[0].why, HasSubstr("no usage of 7")) << "the first of the list";
  EXPECT_THAT(metadata.snapshots(), SizeIs(50));
  EXPECT_EQ(Known(metadata), AllBut(50, {7, 30}));
  // Only these two are read again.
  fake_.on_object = {};
  EXPECT_EQ(Known(ReadSnapshot()), AllBut(50, {}));
  EXPECT_EQ(fake_.asked["Snapshots.Usage"], 52);
}

TEST_F(CollectManyTest, SkipsEntriesDeletedDuringTheRead) {
  Fill(50);
  fake_.on_object = [](const std::string& method, const std::string& object) -> grpc::Status {
    if (NumberOf(object) != (method == "Content.Read" ? 11 : 22)) return grpc::Status::OK;
    return {grpc::StatusCode::NOT_FOUND, "not found"};
  };
  const auto metadata = ReadSnapshot();
  EXPECT_THAT(metadata.unread(), IsEmpty());
  EXPECT_THAT(metadata.snapshots(), SizeIs(49));
  EXPECT_EQ(Known(metadata), AllBut(50, {22}));
  EXPECT_EQ(WithHistory(metadata), AllBut(50, {11}));
}

TEST_F(CollectManyTest, AConfigThatCannotBeReadIsSaidOnceAndReadNextTime) {
  Fill(50);
  fake_.on_object = [](const std::string& method, const std::string& object) -> grpc::Status {
    if (method != "Content.Read" || NumberOf(object) % 10 != 3) return grpc::Status::OK;
    return {grpc::StatusCode::INTERNAL, "broken"};
  };
  const auto metadata = ReadSnapshot();
  ASSERT_THAT(metadata.unread(), SizeIs(1));
  EXPECT_EQ(metadata.unread()[0].what, layers::Unread::What::kObjects);
  EXPECT_LT(WithHistory(metadata).size(), 46U);
  fake_.on_object = {};
  EXPECT_EQ(WithHistory(ReadSnapshot()), AllBut(50, {}));
}

// All calls are in progress, and the last one is answered first.
TEST_F(CollectManyTest, AssignsAnswersInAnyOrderOfArrival) {
  Fill(kMaxParallelCalls);
  std::mutex mu;
  std::condition_variable changed;
  std::map<std::string, std::size_t> last;  // by method: the calls that are answered last
  fake_.on_object = [&](const std::string& method, const std::string& object) -> grpc::Status {
    const std::size_t number = NumberOf(object);
    std::unique_lock lock(mu);
    std::size_t& its = last.emplace(method, kMaxParallelCalls).first->second;
    if (!changed.wait_for(lock, kLong, [&] { return its == number + 1; }))
      return {grpc::StatusCode::INTERNAL, "the one behind it was not asked for"};
    its = number;
    changed.notify_all();
    return grpc::Status::OK;
  };
  const auto metadata = ReadSnapshot();
  EXPECT_THAT(metadata.unread(), IsEmpty());
  EXPECT_EQ(Known(metadata), AllBut(kMaxParallelCalls, {}));
  EXPECT_EQ(WithHistory(metadata), AllBut(kMaxParallelCalls, {}));
  EXPECT_THAT(last, ElementsAre(std::pair("Content.Read", 0), std::pair("Snapshots.Usage", 0)));
  for (std::size_t at = 0; at < kMaxParallelCalls; ++at)
    EXPECT_EQ(metadata.keys().Text(metadata.snapshots()[at].key), DigestOf(at))
        << "the list's order";
}

class StoppedWhileItHangsTest : public CollectManyTest,
                                public testing::WithParamInterface<const char*> {};

TEST_P(StoppedWhileItHangsTest, EndsWithinASecond) {
  Fill(50);
  struct EvidenceGate {  // canceled calls may outlive the variables of the test
    std::promise<void> let_go;
    std::shared_future<void> open{let_go.get_future()};
    std::promise<void> reached;
    std::once_flag first;
  };
  const auto gate = std::make_shared<EvidenceGate>();
  fake_.on_object = [gate](const std::string& method, const std::string&) {
    if (method != GetParam()) return grpc::Status::OK;
    std::call_once(gate->first, [&] { gate->reached.set_value(); });
    gate->open.wait();
    return grpc::Status::OK;
  };
  auto collected = std::async(std::launch::async, [&] {
    return metadata_reader_.ReadSnapshot(images_, stop_.get_token());
  });
  const auto reached = gate->reached.get_future().wait_for(kLong);
  stop_.request_stop();
  const auto ended = collected.wait_for(std::chrono::seconds(1));
  gate->let_go.set_value();
  EXPECT_EQ(reached, std::future_status::ready);
  EXPECT_EQ(ended, std::future_status::ready);
  const auto metadata = collected.get();
  ASSERT_FALSE(metadata);
  EXPECT_EQ(metadata.error().kind, ErrorKind::kCancelled);
}

INSTANTIATE_TEST_SUITE_P(All, StoppedWhileItHangsTest,
                         testing::Values("Snapshots.Usage", "Content.Read"));

// One limit for all calls together.
TEST_F(CollectManyTest, ACallThatHangsEndsWithTheTimeOfAll) {
  Fill(50);
  std::promise<void> let_go;
  fake_.on_object = [go = let_go.get_future().share()](const std::string& method,
                                                       const std::string& object) {
    if (method == "Snapshots.Usage" && NumberOf(object) % 2 == 0) go.wait();
    return grpc::Status::OK;
  };
  MetadataReader impatient(fake_.Channel(), clock_,
                           {.timeout = Millis(300), .disk = {}, .configs = true});
  const SteadyTime begun = clock_.Steady();
  const auto metadata = impatient.ReadSnapshot(images_, stop_.get_token());
  EXPECT_LT(clock_.Steady() - begun, std::chrono::seconds(5));
  let_go.set_value();
  ASSERT_TRUE(metadata);
  ASSERT_FALSE(metadata->unread().empty());
  EXPECT_THAT(metadata->unread()[0].why, HasSubstr("Snapshots.Usage"));
  EXPECT_THAT(metadata->snapshots(), SizeIs(50));
}

}  // namespace
}  // namespace imagesweep::containerd
