#include "agent/kube/index/workload_index_objects.h"

#include <gmock/gmock.h>

#include "agent/base/codec.h"

namespace imagesweep::kube {
namespace {

using testing::HasSubstr;

const IndexName kIndex{"sweep", "index"};

IndexHead Head() {
  IndexHead head;
  head.generation = 12;
  head.slot = 'b';
  head.shards = 2;
  head.references = 30'000;
  head.sha256 = "aabb";
  head.heartbeat = SystemTime(Millis(1'763'700'000'123));
  head.holder = "index-0";
  return head;
}

TEST(Base64Test, RoundTripsBytesAndRejectsOtherText) {
  std::string bytes;
  for (int i = 0; i < 300; ++i) {
    EXPECT_EQ(*FromBase64(ToBase64(bytes)), bytes);
    bytes += static_cast<char>(i * 7);
  }
  EXPECT_EQ(ToBase64("light wor"), "bGlnaHQgd29y");
  for (const char* bad : {"bGlnaHQgd29", "bGln\nHQ=", " GlnaHQg", "====", "bG=naHQg",
                          "bGl=aHQ=", "bGlnaHR=", "bGln\xc3\xa4HQ"})
    EXPECT_FALSE(FromBase64(bad)) << bad;
}

TEST(WorkloadIndexObjectsTest, TheHeadIsReadBackAsItWasWritten) {
  const Json object = HeadObject(kIndex, Head(), "7");
  const auto read = ReadHead(object);
  ASSERT_TRUE(read) << read.error().what;
  EXPECT_TRUE(read->SameSet(Head()));
  EXPECT_EQ(read->heartbeat, Head().heartbeat);
  EXPECT_EQ(read->shards, 2U);
  EXPECT_EQ(read->references, 30'000U);
  EXPECT_EQ(read->holder, "index-0");
  EXPECT_EQ(object["metadata"]["resourceVersion"], "7");
  EXPECT_FALSE(HeadObject(kIndex, Head(), "")["metadata"].contains("resourceVersion"));
  EXPECT_EQ(object["metadata"]["labels"]["imagesweep/workload-index"], "index");
  EXPECT_EQ(IndexSelector(kIndex), "labelSelector=imagesweep%2Fworkload-index%3Dindex");
}

TEST(WorkloadIndexObjectsTest, TheShardIsReadBackAsItWasWritten) {
  const SlottedShard shard{'b', {1, 12, 1, 2, "aabb", std::string("\0\x1f\xff", 3)}};
  const auto read = ReadShard(ShardObject(kIndex, shard, ""));
  ASSERT_TRUE(read) << read.error().what;
  EXPECT_EQ(read->slot, 'b');
  EXPECT_EQ(read->shard.generation, 12U);
  EXPECT_EQ(read->shard.number, 1U);
  EXPECT_EQ(read->shard.count, 2U);
  EXPECT_EQ(read->shard.sha256, "aabb");
  EXPECT_EQ(read->shard.bytes, shard.shard.bytes);
}

TEST(WorkloadIndexObjectsTest, AFullShardStaysBelowTheLimitOfAConfigMap) {
  const SlottedShard shard{'b',
                           {1, 12, 1, 2, std::string(64, 'a'), std::string(kMaxShardBytes, 'x')}};
  EXPECT_LT(ShardObject(kIndex, shard, "123456789").dump().size(), 1'000'000U);
}

TEST(WorkloadIndexObjectsTest, RejectsMissingOrMalformedFields) {
  struct Case {
    const char* key;
    Json value;
    const char* why;
  };
  const Case cases[] = {
      {"format", "2", "it has format 2"},
      {"format", "", "field format is missing or invalid"},
      {"generation", "1x", "field generation is missing or invalid"},
      {"generation", 12, "field generation is missing or invalid"},
      {"generation", "-1", "field generation is missing or invalid"},
      {"generation", nullptr, "field generation is missing or invalid"},
      {"slot", "c", "field slot is missing or invalid"},
      {"slot", "ab", "field slot is missing or invalid"},
      {"shards", "99999999999999999999", "field shards is missing or invalid"},
      {"sha256", "", "field sha256 is missing or invalid"},
      {"heartbeat", "now", "field heartbeat is missing or invalid"},
      {"heartbeat", "2026-02-30T00:00:00.000Z", "field heartbeat is missing or invalid"},
      {"heartbeat", "2026-02-20T00:00:00.000Z ", "field heartbeat is missing or invalid"},
      {"heartbeat", "2026-02-20T25:00:00.000Z", "field heartbeat is missing or invalid"},
      {"holder", "", "field holder is missing or invalid"},
  };
  for (const auto& [key, value, why] : cases) {
    Json object = HeadObject(kIndex, Head(), "7");
    object["data"][key] = value;
    const auto read = ReadHead(object);
    ASSERT_FALSE(read) << key << " " << value;
    EXPECT_THAT(read.error().what, HasSubstr(why)) << key << " " << value;
  }
  for (const Json& object : {Json(), Json(3), Json::object(), Json{{"data", 3}}}) {
    EXPECT_FALSE(ReadHead(object));
    EXPECT_FALSE(ReadShard(object));
    EXPECT_FALSE(ReadId(object));
  }
}

TEST(WorkloadIndexObjectsTest, ShardsAreKnownByTheirNames) {
  EXPECT_EQ(ShardName(kIndex, 'a', 0), "index-a-0");
  EXPECT_TRUE(IsShardOf(kIndex, 'a', "index-a-12"));
  for (const char* other : {"index-b-0", "index-a-", "index-a-x", "index-a", "index", "xindex-a-0"})
    EXPECT_FALSE(IsShardOf(kIndex, 'a', other)) << other;
}

TEST(WorkloadIndexObjectsTest, ANameMustFitALabelAndAConfigMap) {
  for (const char* good : {"a", "imagesweep", "imagesweep-2", "a.b"})
    EXPECT_TRUE(CheckIndexName(good));
  for (const std::string& bad : {std::string(), std::string("A"), std::string("-a"),
                                 std::string("a."), std::string("a/b"), std::string(64, 'a')})
    EXPECT_FALSE(CheckIndexName(bad)) << bad;
}

}  // namespace
}  // namespace imagesweep::kube
