#include "agent/kube/index/index_document.h"

#include <gmock/gmock.h>

#include <chrono>
#include <iostream>

#include "agent/base/codec.h"
#include "agent/kube/index/reference_codec.h"
#include "tests/support/workloads.h"

namespace imagesweep {
namespace {

using testing::HasSubstr;

std::vector<IndexShard> Shards(std::uint64_t generation = 4) {
  return *EncodeIndex(ClusterOf(20), generation, 200);
}

std::string WhyNot(const std::vector<IndexShard>& shards) {
  const auto read = DecodeIndex(shards);
  return read ? "" : read.error().what;
}

TEST(IndexTest, GivesTheSetBackFromShardsInAnyOrder) {
  std::mt19937_64 random(1);
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const auto references = RandomReferences(seed, 200);
    auto shards = EncodeIndex(references, seed, 9 + random() % 400);
    ASSERT_TRUE(shards) << shards.error().what;
    std::ranges::shuffle(*shards, random);
    const auto read = DecodeIndex(*shards);
    ASSERT_TRUE(read) << "seed " << seed << ": " << read.error().what;
    EXPECT_EQ(*read, references) << "seed " << seed;
  }
}

TEST(IndexTest, FailsAsAWholeOnAWrongShard) {
  const auto whole = Shards();
  ASSERT_GT(whole.size(), 3U);
  const std::string of = " of " + std::to_string(whole.size());
  const auto with = [&](auto change) {
    auto shards = whole;
    change(shards);
    return WhyNot(shards);
  };
  EXPECT_EQ(WhyNot({}), "there are no shards");
  EXPECT_EQ(with([](auto& s) { s.erase(s.begin() + 1); }), "shard 2" + of + " is missing");
  EXPECT_EQ(with([](auto& s) { s.pop_back(); }),
            "shard " + std::to_string(whole.size()) + of + " is missing");
  EXPECT_EQ(with([](auto& s) { s.push_back(s[0]); }), "shard 1" + of + " is duplicate");
  EXPECT_EQ(with([](auto& s) { s[2].generation = 5; }),
            "torn: shard 3" + of + " has generation 5, another has 4");
  EXPECT_EQ(with([](auto& s) { s[1].sha256[0] ^= 1; }),
            "torn: shard 2" + of + " is not of the same set as the first shard");
  EXPECT_THAT(with([](auto& s) { s[1].count = 99; }), HasSubstr("not of the same set"));
  EXPECT_EQ(with([](auto& s) { s[2].format = 2; }),
            "shard 3" + of + " has format 2, but this version reads only 1");
  EXPECT_THAT(with([](auto& s) { s[2].number = 99; }),
              HasSubstr("shard 100" + of + " has an invalid number"));
  EXPECT_THAT(with([](auto& s) { s[1].bytes.pop_back(); }), HasSubstr("sha256"));
  EXPECT_THAT(with([](auto& s) { std::swap(s[1].bytes, s[2].bytes); }), HasSubstr("sha256"));
}

TEST(IndexTest, RejectsAChangeOfAnyByte) {
  const auto whole = Shards();
  const auto truth = *DecodeIndex(whole);
  for (std::size_t shard = 0; shard < whole.size(); ++shard)
    for (std::size_t at = 0; at < whole[shard].bytes.size(); ++at) {
      auto shards = whole;
      shards[shard].bytes[at] = static_cast<char>(shards[shard].bytes[at] ^ 0x20);
      const auto read = DecodeIndex(shards);
      EXPECT_FALSE(read && *read != truth) << shard << " " << at;
      EXPECT_THAT(WhyNot(shards), HasSubstr("sha256"));
    }
}

// It has its own sha256, so only the limit protects the memory of the node.
TEST(IndexTest, RejectsADecompressionBomb) {
  IndexShard shard;
  shard.count = 1;
  shard.bytes = *Gzip(std::string((64UL << 20) + 1, 'a'));
  shard.sha256 = Sha256Hex(shard.bytes);
  EXPECT_THAT(WhyNot({shard}), HasSubstr("decompresses to more than 67108864 bytes"));
  shard.count = 1UL << 60;
  EXPECT_THAT(WhyNot({shard}), HasSubstr("invalid number of shards: 1152921504606846976"));
}

TEST(IndexTest, ABigClusterFitsIntoFewShards) {
  const auto references = ClusterOf(10'000);
  ASSERT_EQ(references.size(), 30'000U);
  const auto start = std::chrono::steady_clock::now();
  const auto plain = WriteReferences(references);
  const auto shards = EncodeIndex(references, 1);
  const auto encoded = std::chrono::steady_clock::now();
  const auto read = DecodeIndex(*shards);
  const auto decoded = std::chrono::steady_clock::now();
  ASSERT_TRUE(read);
  EXPECT_TRUE(*read == references);
  std::size_t bytes = 0;
  for (const IndexShard& shard : *shards) {
    EXPECT_LE(shard.bytes.size(), kMaxShardBytes);
    bytes += shard.bytes.size();
  }
  const auto millis = [](auto time) {
    return std::chrono::duration<double, std::milli>(time).count();
  };
  std::cout << "10,000 workloads, 30,000 references: " << plain->size() << " bytes plain, " << bytes
            << " packed in " << shards->size() << " shards; encoded in " << millis(encoded - start)
            << " ms, decoded in " << millis(decoded - encoded) << " ms\n";
  EXPECT_LE(shards->size(), 2U);
}

}  // namespace
}  // namespace imagesweep
