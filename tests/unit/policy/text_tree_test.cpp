#include "agent/policy/text_tree.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/policy/policy_text.h"

namespace imagesweep {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

TEST(TextTree, RejectsAnchorsAndOtherUnneededYaml) {
  const std::string anchors = "anchors and aliases are not allowed";
  struct {
    std::string lines;  // the first is line 3
    std::string line;
    std::string why;
  } cases[] = {
      {"keep: &a {}\n", "3", anchors},
      {"keep: &a\n  tags: []\nlimits: *a\n", "3", anchors},
      {"&a dryRun: true\n", "3", anchors},
      {"keep:\n  images: [*/shop/*]\n", "4", anchors},
      {"dryRun: !!bool true\n", "3", "tags are not allowed"},
      {"keep: !x {}\n", "3", "tags are not allowed"},
      {"keep:\n\timages: []\n", "4", "tab character (U+0009) in column 1; indent with spaces"},
      {"keep: {} #\tcomment\n", "3", "tab character (U+0009) in column 11"},
      {"# gr\u00fc\u00df\t\n", "3", "tab character (U+0009) in column 7"},
      {"a: \x01\n", "3", "control character (U+0001) in column 4"},
      {std::string("a: \0\n", 5), "3", "control character"},
      {"a: b\rc: d\n", "3", "control character"},
      {"\na: \xFF\n", "4", "invalid UTF-8"},
      {"a: \xC0\xAF\n", "3", "invalid UTF-8"},
      {"a: \xED\xA0\x80\n", "3", "invalid UTF-8"},
      {"a: \xF4\x90\x80\x80\n", "3", "invalid UTF-8"},
      {"a: \xE2\x82", "3", "invalid UTF-8"},
      {"? [a]\n: b\n", "3", "a field name must be text"},
      {"? {a: b}\n: c\n", "3", "a field name must be text"},
      {": b\n", "3", "a field name must be text"},
      {"keep: [\n", "4", ""},
      {"maximumAge: \"7d\n", "4", "missing end of a quoted text"},
      {"maximumAge: '7d", "3", "missing end of a quoted text"},
      {"maximumAge: \"7d\n---\n", "4", "missing end of a quoted text"},
      {"keep: {tags: [a, b]\n", "", ""},
      {"a: b: c\n", "3", ""},
      {"keep:\n   tags: []\n  images: []\n", "5", ""},
  };
  for (const auto& c : cases) {
    const auto tree = ReadTextTree(WithHead(c.lines));
    ASSERT_FALSE(tree) << c.lines;
    EXPECT_EQ(tree.error().kind, ErrorKind::kInvalid);
    EXPECT_THAT(tree.error().what, StartsWith("yaml: line " + c.line)) << c.lines;
    EXPECT_THAT(tree.error().what, HasSubstr(c.why));
  }
}

// Where such a character stands for a blank, the text has another structure than an editor shows.
TEST(TextTree, NamesTheInvisibleCharacterBeforeAnError) {
  struct {
    std::string lines;  // the first is line 3
    std::string where;  // empty: the error is about something else
  } cases[] = {
      {"keep:\u00a0\n  tags: []\n", "; line 3 has the invisible character U+00A0 in column 6"},
      {"dryRun:\u200bfalse\n\ninterval: 1h\n",
       "; line 3 has the invisible character U+200B in column 8"},
      {"keep: {tags: [a,\n\u00fc\ufeff\n",
       "; line 4 has the invisible character U+FEFF in column 2"},
      {"keep: {} # a\u00a0b\n#\u00a0\n a: b: c\n", ""},
      {"a: b: c\nkeep: \u00a0\n", ""},
  };
  for (const auto& c : cases) {
    const auto verdict = Verdict(WithHead(c.lines));
    EXPECT_THAT(verdict, StartsWith("yaml: line ")) << c.lines;
    if (c.where.empty())
      EXPECT_THAT(verdict, testing::Not(HasSubstr("invisible"))) << c.lines;
    else
      EXPECT_THAT(verdict, testing::EndsWith(c.where)) << c.lines;
  }
}

TEST(TextTree, OneDocumentOnly) {
  EXPECT_EQ(Verdict("---\n" + WithHead("")), "good");
  EXPECT_EQ(Verdict("# hello\n---\n" + WithHead("...\n")), "good");
  // An end mark after the document does not begin a second one.
  EXPECT_EQ(Verdict(WithHead("---\n")), "good");
  EXPECT_EQ(Verdict(WithHead("---\n# the end\n")), "good");
  EXPECT_EQ(Verdict(WithHead("--- # the end")), "good");
  for (const char* end :
       {"...", "...\n", "...\n# the end\n", "...\n...\n", "...\n---\n", "---\n...\n", "...\r\n"})
    EXPECT_EQ(Verdict(WithHead(end)), "good") << end;
  for (const auto& text : {WithHead("---\n") + WithHead(""), WithHead("---\n---\na: b\n"),
                           WithHead("---\ndryRun: false\n"), "---\n---\n" + WithHead(""),
                           WithHead("...\n---\na: b\n")})
    EXPECT_EQ(Verdict(text), "yaml: more than one document; use a single document") << text;
}

TEST(TextTree, WindowsLineEndsAndOtherLettersAreFine) {
  EXPECT_EQ(Verdict("apiVersion: imagesweep/v1alpha1\r\nkind: SweepPolicy\r\ndryRun: true\r\n"),
            "good");
  EXPECT_EQ(Verdict("\xEF\xBB\xBF" + WithHead("# gr\xC3\xBC\xC3\x9F Gott \xF0\x9F\x90\xB3\n")),
            "good");
}

// An alias represents its whole anchor: nine lines of ten aliases each are a billion nodes.
TEST(TextTree, RejectsAnAnchorBomb) {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 10; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before;
    for (int k = 1; k < 10; ++k) bomb += ", " + before;
    bomb += "]\n";
  }
  EXPECT_THAT(Verdict(WithHead(bomb)), HasSubstr("anchors and aliases are not allowed"));
}

TEST(TextTree, RefusesDeepNestingAndLargeTexts) {
  const auto nested = [](std::size_t depth) {
    return WithHead("a: " + std::string(depth, '[') + std::string(depth, ']') + "\n");
  };
  EXPECT_TRUE(ReadTextTree(nested(15)));
  EXPECT_THAT(Verdict(nested(16)), HasSubstr("nested too deeply"));
  EXPECT_THAT(Verdict(nested(100'000)), HasSubstr("yaml: line "));
  EXPECT_THAT(Verdict(WithHead("a: " + std::string(100'000, '['))), HasSubstr("yaml: line "));
  EXPECT_THAT(Verdict(WithHead("a: " + std::string(100'000, '{'))), HasSubstr("yaml: line "));
  std::string blocks = WithHead("");
  for (std::size_t depth = 0; depth < 300; ++depth) blocks += std::string(depth, ' ') + "a:\n";
  EXPECT_THAT(Verdict(blocks), HasSubstr("nested too deeply"));
  std::string dashes = WithHead("a:\n");
  for (int depth = 0; depth < 50'000; ++depth) dashes += "- ";
  EXPECT_THAT(Verdict(dashes), HasSubstr("yaml: line "));

  constexpr std::size_t kLargest = 256UL * 1024;
  const auto head = WithHead("#");
  EXPECT_EQ(Verdict(head + std::string(kLargest - head.size(), 'x')), "good");
  EXPECT_EQ(Verdict(head + std::string(kLargest - head.size() + 1, 'x')),
            "yaml: larger than 256 KiB (262145 bytes)");
}

TEST(TextTree, FindsPlainScalarsThatAreNotStrings) {
  for (const char* text :
       {"",   "~",  "null", "Null", "true", "FALSE", "yes",  "No",   "on",    "off",  "y", "1",
        "-1", "+1", "1.25", ".5",   "1e3",  "0x1F",  "0o17", ".inf", "-.inf", ".NaN", "1."})
    EXPECT_TRUE(IsNonStringScalar(text)) << text;
  for (const char* text : {"latest", "v1", "1.25.3", "1.25-alpine", "-", "+", ".", "nan", "inf",
                           "infinity", "-x1", "e5", "2024-01-01", "truely", "on-call", "1 2"})
    EXPECT_FALSE(IsNonStringScalar(text)) << text;
}

}  // namespace
}  // namespace imagesweep
