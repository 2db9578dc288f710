#include <gtest/gtest.h>

#include <random>

#include "agent/state/age_store.h"
#include "agent/state/history.h"
#include "tests/support/fake_clock.h"
#include "tests/unit/state/age_store_files.h"
#include "tests/unit/state/history_files.h"

namespace imagesweep {
namespace {

constexpr std::uintmax_t kMiB = 1024UL * 1024;

std::string Hex(std::mt19937_64& random) {
  std::string hex;
  while (hex.size() < 64) hex += "0123456789abcdef"[random() % 16];
  return "sha256:" + hex;
}

// A report of a node with 300 images. The digests differ in each report.
std::string SampleReport(std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::string json = "{\n  \"kind\": \"SweepReport\",\n  \"images\": [";
  for (int i = 0; i < 300; ++i) {
    const std::string name =
        "registry.example.com/team-" + std::to_string(i % 7) + "/service-" + std::to_string(i / 3);
    const std::string tag = name + ":v1." + std::to_string(random() % 100);
    json +=
        "\n    {\n      \"id\": \"" + Hex(random) + "\",\n      \"names\": [\n        \"" + tag +
        "\"\n      ],\n      \"twinTags\": [],\n      \"digests\": [\n        \"" + name + "@" +
        Hex(random) + "\"\n      ],\n      \"sizeBytes\": " + std::to_string(random()) +
        ",\n      \"sizeIsBound\": true,\n      \"pinned\": false,\n      \"firstSeen\": "
        "\"2026-09-14T09:" +
        std::to_string(random() % 60) +
        ":03.114Z\",\n      \"lastUsed\": null,\n      "
        "\"ageSeconds\": " +
        std::to_string(random() % 1'000'000) +
        ",\n      \"ageIsKnown\": true,\n      \"verdict\": \"Keep\",\n      \"code\": "
        "\"InUse\",\n      \"reason\": \"used by pod shop/api-" +
        std::to_string(random() % 100'000) +
        "\",\n      \"rule\": \"\",\n      \"supersededBy\": \"\",\n      \"usedBy\": [\n       "
        " {\n          \"kind\": \"Pod\",\n          \"namespace\": \"shop\",\n          "
        "\"name\": \"api-" +
        std::to_string(random() % 100'000) +
        "\",\n          \"container\": \"web\"\n        }\n      ]\n    },";
  }
  return json;
}

TEST(Size, FiftyReportsOfThreeHundredImagesTakeLessThan8MiB) {
  const TempDir dir;
  const FakeClock clock;
  const auto history = History::Open(dir.path(), clock);
  std::uintmax_t bytes = 0;
  for (int i = 0; i < 60; ++i) {
    RunEntry entry = RunOf("run-" + std::to_string(i));
    entry.report = SampleReport(static_cast<std::uint64_t>(i));
    bytes = entry.report.size();
    ASSERT_TRUE(history->AddRun(entry, 50));
  }
  EXPECT_EQ(RunIds(*history).size(), 50U);
  EXPECT_EQ(Value(history->Find("run-15"))->report, SampleReport(15));
  const auto size = std::filesystem::file_size(dir.path() / "history.db");
  RecordProperty("report_bytes", static_cast<int>(bytes));
  RecordProperty("file_bytes", static_cast<int>(size));
  EXPECT_LT(size, 8 * kMiB);
}

// Reports that cannot be compressed push out the oldest, for any limit.
TEST(Size, KeepsTheHistoryBelowTheDamageLimit) {
  const TempDir dir;
  const FakeClock clock;
  const auto history = History::Open(dir.path(), clock);
  RemovalEntry removal = Removal("r", "");
  removal.names.assign(200, std::string(100, 'n'));
  for (std::size_t i = 0; i < 1000; ++i) {
    removal.id = std::to_string(i);
    ASSERT_TRUE(history->BeginRemoval(removal));
  }
  EXPECT_LT(std::filesystem::file_size(dir.path() / "history.db"), 10 * kMiB);
  EXPECT_EQ(Value(history->Removals("")).front().id, "999");
  std::mt19937_64 random(1);
  std::string noise;
  while (noise.size() < History::kMaxReportBytes) {
    const std::uint64_t bits = random();
    noise.append(static_cast<const char*>(static_cast<const void*>(&bits)), sizeof bits);
  }
  for (int i = 0; i < 4; ++i) {
    RunEntry entry = RunOf("run-" + std::to_string(i));
    entry.report = i % 2 == 0 ? noise : noise.substr(noise.size() * 2 / 3);
    ASSERT_TRUE(history->AddRun(entry, 1000));
    EXPECT_EQ(Value(history->Find(""))->report, entry.report);
  }
  EXPECT_EQ(RunIds(*history), (std::vector<std::string>{"run-3", "run-2"}));
  EXPECT_LT(std::filesystem::file_size(dir.path() / "history.db"), 64 * kMiB);
  EXPECT_TRUE(History::Open(dir.path(), clock)->warnings().empty());
}

TEST(Size, TheOldestOfManyRemovalsGo) {
  const TempDir dir;
  const FakeClock clock;
  const auto history = History::Open(dir.path(), clock);
  // Data that waited because of a full disk is written in one transaction, which is the fastest
  // way.
  std::filesystem::create_directory(dir.path() / "away");
  std::filesystem::rename(dir.path() / "history.db", dir.path() / "away" / "history.db");
  std::filesystem::create_directory(dir.path() / "history.db");
  for (std::size_t i = 0; i < History::kMaxRemovals; ++i)
    EXPECT_FALSE(history->BeginRemoval(Removal("r", std::to_string(i))));
  std::filesystem::remove(dir.path() / "history.db");
  std::filesystem::rename(dir.path() / "away" / "history.db", dir.path() / "history.db");
  for (const char* more : {"x", "y"}) ASSERT_TRUE(history->BeginRemoval(Removal("s", more)));
  const auto removals = Value(history->Removals(""));
  ASSERT_EQ(removals.size(), History::kMaxRemovals);
  EXPECT_EQ(removals.front(), Removal("s", "y"));
  EXPECT_EQ(removals.back(), Removal("r", "2"));
  EXPECT_LT(std::filesystem::file_size(dir.path() / "history.db"), 8 * kMiB);
}

TEST(Size, AnAgeStoreOfTenThousandImagesTakesAtMost2MiB) {
  const TempDir dir;
  const FakeClock clock;
  std::mt19937_64 random(1);
  std::vector<Image> images(10'000);
  for (auto& image : images) image.id = ImageId(Hex(random));
  const std::vector<bool> all(images.size(), true);
  for (int run = 1; run <= 3; ++run) {
    const auto age_store = OpenCounting(dir.path(), clock, "boot");
    clock.Advance(std::chrono::seconds(1));
    LookIdle(*age_store, images);
    EXPECT_EQ(age_store->CountCandidates(images, all).back(), run);
    EXPECT_TRUE(age_store->durable());
  }
  const auto size = std::filesystem::file_size(dir.file());
  RecordProperty("file_bytes", static_cast<int>(size));
  EXPECT_LE(size, 2 * kMiB);
}

}  // namespace
}  // namespace imagesweep
