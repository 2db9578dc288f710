#include "agent/base/unicode.h"

#include <gtest/gtest.h>

namespace imagesweep {
namespace {

TEST(Unicode, ReadsTheFirstCharacter) {
  const struct {
    const char* text;
    unsigned code;
    std::size_t bytes;
  } cases[] = {
      {"ab", 'a', 1}, {"\u00a0x", 0xA0, 2}, {"\ufeff", 0xFEFF, 3}, {"\U0001F433", 0x1F433, 4}};
  for (const auto& c : cases) {
    EXPECT_EQ(FirstCharacter(c.text).code, c.code);
    EXPECT_EQ(FirstCharacter(c.text).bytes, c.bytes);
  }
}

TEST(Unicode, StaysWithinATextThatIsNotUtf8) {
  for (const char* text : {"\xA0", "\xE2\x82", "\xF0\x9F\x90", "\xFF"}) {
    EXPECT_EQ(FirstCharacter(text).bytes, 1U);
    EXPECT_FALSE(FindInvisible(text));
    EXPECT_EQ(WithoutInvisible(text), text);
  }
}

TEST(Unicode, FindsTheColumnOfAnInvisibleCharacter) {
  EXPECT_FALSE(FindInvisible(""));
  EXPECT_FALSE(FindInvisible("gr\u00fc\u00df \U0001F433"));
  const auto found = FindInvisible("gr\u00fc\u00df\u00ad\u200b");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->code, 0xADU);
  EXPECT_EQ(found->column, 5);
  EXPECT_EQ(WithoutInvisible("\ufeffgr\u00fc\u00ad\u00df\u2060"), "gr\u00fc\u00df");
}

TEST(Unicode, WritesCodePointsWithFourDigitsOrMore) {
  EXPECT_EQ(CodePoint(0x9), "U+0009");
  EXPECT_EQ(CodePoint(0xFEFF), "U+FEFF");
  EXPECT_EQ(CodePoint(0xE0001), "U+E0001");
}

}  // namespace
}  // namespace imagesweep
