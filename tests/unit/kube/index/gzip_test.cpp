#include "agent/base/codec.h"

#include <gmock/gmock.h>

namespace imagesweep {
namespace {

using testing::HasSubstr;

TEST(GzipTest, GivesTheBytesBack) {
  for (const std::string& text : {std::string(), std::string("a"), std::string(1U << 20, '\0')}) {
    const auto packed = Gzip(text);
    ASSERT_TRUE(packed);
    EXPECT_EQ(*Gunzip(*packed, text.size()), text);
    EXPECT_EQ(*Gzip(text), *packed) << "equal bytes give equal bytes";
  }
}

TEST(GzipTest, HoldsNoMoreThanIsAllowed) {
  const std::string bomb = *Gzip(std::string(100UL << 20, 'a'));
  EXPECT_THAT(bomb.size(), testing::Lt(200'000U));
  EXPECT_THAT(Gunzip(bomb, 64UL << 20).error().what, HasSubstr("more than 67108864 bytes"));
  EXPECT_FALSE(Gunzip(*Gzip("ab"), 1));
}

TEST(GzipTest, AcceptsExactlyOneWholeStream) {
  const std::string packed = *Gzip("some text of which nothing may be lost");
  for (std::size_t size = 0; size < packed.size(); ++size)
    EXPECT_FALSE(Gunzip(packed.substr(0, size), 1000)) << size;
  EXPECT_FALSE(Gunzip(packed + "x", 1000));
  EXPECT_FALSE(Gunzip(packed + packed, 1000));
}

// FIPS 180-4, with its published examples.
TEST(DigestTest, IsSha256) {
  EXPECT_EQ(Sha256Hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

}  // namespace
}  // namespace imagesweep
