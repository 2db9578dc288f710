#include "agent/kube/index/reference_codec.h"

#include <gmock/gmock.h>

#include "tests/support/workloads.h"

namespace imagesweep {
namespace {

using testing::HasSubstr;

WorkloadReference Needs(const std::string& text) {
  return {text, "Deployment", "shop", "api", "main", 7, 1, true};
}

TEST(ReferenceCodecTest, RoundTripsReferences) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    const auto references = RandomReferences(seed, 60);
    const auto bytes = WriteReferences(references);
    ASSERT_TRUE(bytes) << bytes.error().what;
    const auto read = ReadReferences(*bytes);
    ASSERT_TRUE(read) << "seed " << seed << ": " << read.error().what;
    EXPECT_EQ(*read, references) << "seed " << seed;
  }
}

TEST(ReferenceCodecTest, RejectsUnsortedAndInvalidSetsOnWrite) {
  EXPECT_THAT(WriteReferences({Needs("b"), Needs("a")}).error().what, HasSubstr("not sorted"));
  EXPECT_THAT(WriteReferences({Needs("a"), Needs("a")}).error().what, HasSubstr("not sorted"));
  WorkloadReference before_now = Needs("a");
  before_now.revisions_back = -1;
  EXPECT_FALSE(WriteReferences({before_now}));
  WorkloadReference huge = Needs(std::string(kMaxReferenceBytes, 'a'));
  EXPECT_THAT(WriteReferences({huge}).error().what, HasSubstr("the references are larger than"));
}

TEST(ReferenceCodecTest, RejectsTruncatedOrTrailingData) {
  const std::string good = *WriteReferences({Needs("a"), Needs("ab")});
  for (std::size_t size = 0; size < good.size(); ++size)
    EXPECT_FALSE(ReadReferences(good.substr(0, size))) << size;
  EXPECT_THAT(ReadReferences(good + "x").error().what, HasSubstr("data after the last reference"));
  std::string other = good;
  other[other.find("/1") + 1] = '2';
  EXPECT_THAT(ReadReferences(other).error().what, HasSubstr("format"));
}

// A changed byte gives another set or an error, and never a crash.
TEST(ReferenceCodecTest, SurvivesEveryByteChanged) {
  const auto references = RandomReferences(5, 30);
  const std::string good = *WriteReferences(references);
  for (std::size_t at = 0; at < good.size(); ++at)
    for (int bit = 0; bit < 8; ++bit) {
      std::string bad = good;
      bad[at] = static_cast<char>(bad[at] ^ (1 << bit));
      const auto read = ReadReferences(bad);
      EXPECT_TRUE(!read || *WriteReferences(*read) == bad) << at;
    }
}

// A few bytes that mean "as before" must not become much memory.
TEST(ReferenceCodecTest, RejectsDataThatExpandsBeyondTheLimit) {
  const std::string name(1U << 20, 'n');
  std::vector<WorkloadReference> references;
  for (int i = 0; i < 63; ++i) {
    WorkloadReference one = Needs("a");
    one.name = name;
    one.revision = i;
    references.push_back(one);
  }
  std::string bytes = *WriteReferences(references);
  // Three more of the same at the end, a few bytes each.
  bytes[bytes.find('\n') + 1] = 66;
  std::string one_more = *WriteReferences({references[61], references[62]});
  const std::string first = *WriteReferences({references[61]});
  one_more.erase(0, first.size());
  for (int i = 1; i <= 3; ++i) {
    one_more[one_more.size() - 3] = static_cast<char>(62 + i);
    bytes += one_more;
  }
  EXPECT_THAT(ReadReferences(bytes).error().what, HasSubstr("invalid data at reference"));
}

}  // namespace
}  // namespace imagesweep
