#include "agent/policy/parse.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <string>

#include "agent/policy/fields.h"
#include "agent/policy/render.h"
#include "tests/unit/policy/policy_text.h"

namespace imagesweep {
namespace {

using testing::HasSubstr;

TEST(ParsePolicy, ReadsEveryField) {
  const auto policy =
      ParsePolicy(WithHead("dryRun: false\n"
                           "suspend: true\n"
                           "interval: 2h\n"
                           "initialDelay: 0s\n"
                           "jitterPercent: 0\n"
                           "minimumAge: 1d\n"
                           "maximumAge: 2w\n"
                           "removeDangling: false\n"
                           "diskUsage: {highThresholdPercent: 60, lowThresholdPercent: 50}\n"
                           "keep:\n"
                           "  images: [\"shop/**\", 'redis:7.*', nginx]\n"
                           "  tags:\n"
                           "  - latest\n"
                           "  - \"1.25\"\n"
                           "  localOnly: Never\n"
                           "limits:\n"
                           "  maxImages: 7\n"
                           "  maxBytes: 20Gi\n"
                           "  maxPercentOfImages: 100\n"
                           "  removalDelay: 1.5s\n"
                           "  maxFailures: 1\n"));
  ASSERT_TRUE(policy) << policy.error().what;
  EXPECT_FALSE(policy->dry_run);
  EXPECT_TRUE(policy->suspend);
  EXPECT_EQ(policy->interval, std::chrono::hours(2));
  EXPECT_EQ(policy->initial_delay, Millis(0));
  EXPECT_EQ(policy->jitter_percent, 0);
  EXPECT_EQ(policy->minimum_age, std::chrono::hours(24));
  EXPECT_EQ(policy->maximum_age, std::chrono::hours(14 * 24));
  EXPECT_FALSE(policy->remove_dangling);
  EXPECT_EQ(policy->disk.high_percent, 60);
  EXPECT_EQ(policy->disk.low_percent, 50);
  ASSERT_EQ(policy->keep.images.size(), 3U);
  EXPECT_EQ(policy->keep.images[1].text(), "redis:7.*");
  EXPECT_EQ(policy->keep.tags, (std::vector<std::string>{"latest", "1.25"}));
  EXPECT_EQ(policy->keep.local_only, LocalOnly::kNever);
  EXPECT_EQ(policy->limits.max_images, 7);
  EXPECT_EQ(policy->limits.max_bytes, 20ULL << 30);
  EXPECT_EQ(policy->limits.max_percent_of_images, 100);
  EXPECT_EQ(policy->limits.removal_delay, Millis(1500));
  EXPECT_EQ(policy->limits.max_failures, 1);
}

TEST(ParsePolicy, UsesDefaultsForMissingFields) {
  const auto policy = ParsePolicy(WithHead("limits: {maxImages: 1}\n"));
  ASSERT_TRUE(policy);
  EXPECT_EQ(policy->limits.max_failures, Limits().max_failures);
  EXPECT_TRUE(policy->dry_run);
  ASSERT_EQ(policy->keep.images.size(), 1U);
  EXPECT_EQ(policy->keep.images[0].text(), "localhost/**");
}

// K12: the pairs of the tests of the kubelet's ValidatePolicy, and other values that are not a
// percentage.
TEST(ParsePolicy, AcceptsOnlyThresholdsThatMakeSense) {
  struct {
    const char* high;
    const char* low;
    const char* complaint;
  } cases[] = {
      {"2", "1", "good"},
      {"-1", "1", "diskUsage.highThresholdPercent: Invalid value: -1: must be at least 0 (line 4)"},
      {"101", "1",
       "diskUsage.highThresholdPercent: Invalid value: 101: must be at most 100 (line 4)"},
      {"2", "-1", "diskUsage.lowThresholdPercent: Invalid value: -1: must be at least 0 (line 5)"},
      {"2", "101",
       "diskUsage.lowThresholdPercent: Invalid value: 101: must be at most 100 (line 5)"},
      {"1", "2",
       "diskUsage.lowThresholdPercent: Invalid value: 2: must be less than highThresholdPercent "
       "(1) (line 5)"},
      {"1", "1",
       "diskUsage.lowThresholdPercent: Invalid value: 1: must be less than highThresholdPercent "
       "(1) (line 5)"},
      {"0", "65", "good"},
      {".NaN", "1",
       "diskUsage.highThresholdPercent: Invalid value: .NaN: must be an integer, in plain decimal "
       "digits (line 4)"},
      {"NaN", "1",
       "diskUsage.highThresholdPercent: Invalid value: \"NaN\": must be an integer, in plain "
       "decimal digits (line 4)"},
      {"80%", "1",
       "diskUsage.highThresholdPercent: Invalid value: \"80%\": must be an integer, without the "
       "percent sign (line 4)"},
      {"80.5", "1",
       "diskUsage.highThresholdPercent: Invalid value: 80.5: must be an integer, in plain decimal "
       "digits (line 4)"},
      {"1e2", "1",
       "diskUsage.highThresholdPercent: Invalid value: 1e2: must be an integer, in plain decimal "
       "digits (line 4)"},
      {"080", "1",
       "diskUsage.highThresholdPercent: Invalid value: 080: must be an integer, in plain decimal "
       "digits (line 4)"},
      {"\"80\"", "1",
       "diskUsage.highThresholdPercent: Invalid value: \"80\": must be an integer, without quotes "
       "(line 4)"},
      {"", "1",
       "diskUsage.highThresholdPercent: Invalid value: null: must be an integer, in plain decimal "
       "digits (line 4)"},
      {"99999999999999999999", "1",
       "diskUsage.highThresholdPercent: Invalid value: 99999999999999999999: must be at most 100 "
       "(line 4)"},
      {"2", "-99999999999999999999",
       "diskUsage.lowThresholdPercent: Invalid value: -99999999999999999999: must be at least 0 "
       "(line 5)"},
  };
  for (const auto& c : cases)
    EXPECT_EQ(Verdict(WithHead("diskUsage:\n  highThresholdPercent: " + std::string(c.high) +
                               "\n  lowThresholdPercent: " + c.low + "\n")),
              c.complaint);
}

TEST(ParsePolicy, ComplainsByPathValueAndLine) {
  struct {
    const char* lines;
    const char* complaint;
  } cases[] = {
      {"limits: {maxImages: -1}",
       "limits.maxImages: Invalid value: -1: must be at least 0 (line 3)"},
      {"limits: {maxFailures: 0}",
       "limits.maxFailures: Invalid value: 0: must be at least 1 (line 3)"},
      {"limits: {maxBytes: 20GB}",
       "limits.maxBytes: Invalid value: \"20GB\": is not a quantity of bytes; write e.g. 500Mi, "
       "20Gi or 0 (line 3)"},
      {"limits: 5", "limits: Invalid value: 5: must be a map of fields (line 3)"},
      {"limits:", "good"},
      {"rules:\n- name: a\n  action: Remove\n  selector:",
       "rules[0].selector: Invalid value: null: must be a map of fields (line 6)"},
      {"rules:\n-", "rules[0]: Invalid value: null: must be a map of fields (line 5)"},
      {"limits: []", "limits: Invalid value: […]: must be a map of fields (line 3)"},
      {"\n\ninterval: 59s", "interval: Invalid value: \"59s\": must be at least 1m (line 5)"},
      {"interval: 1m", "good"},
      {"interval: 24h", "good"},
      {"interval: 1441m", "interval: Invalid value: \"1441m\": must be at most 24h (line 3)"},
      {"interval: 15",
       "interval: Invalid value: 15: is not a duration; write e.g. 30s, 15m, 1h30m, 7d or 2w (line "
       "3)"},
      {"minimumAge: -5m",
       "minimumAge: Invalid value: \"-5m\": is not a duration; write e.g. 30s, 15m, 1h30m, 7d or "
       "2w (line 3)"},
      {"minimumAge: 1ns",
       "minimumAge: Invalid value: \"1ns\": must be at least 1ms, or 0s (line 3)"},
      {"minimumAge: [1h]",
       "minimumAge: Invalid value: […]: must be a duration, e.g. 30s, 15m, 1h30m or 7d (line 3)"},
      {"jitterPercent: 101", "jitterPercent: Invalid value: 101: must be at most 100 (line 3)"},
      {"dryRun: yes",
       "dryRun: Invalid value: yes: must be true or false, in lower case; other words and numbers "
       "do not count as booleans (line 3)"},
      {"dryRun: \"false\"",
       "dryRun: Invalid value: \"false\": must be true or false, without quotes (line 3)"},
      {"dryRun: ~", "dryRun: Invalid value: null: must be true or false (line 3)"},
      {"dryRun: {}", "dryRun: Invalid value: {…}: must be true or false (line 3)"},
      {"keep: {localOnly: IfNeeded}",
       "keep.localOnly: Unsupported value: \"IfNeeded\": supported values: \"Always\", "
       "\"UnlessSuperseded\", "
       "\"Never\" (line 3)"},
      {"keep: {images: nginx}", "keep.images: Invalid value: \"nginx\": must be a list (line 3)"},
      {"keep: {tags: [1.25]}",
       "keep.tags[0]: Invalid value: 1.25: must be text; put it in quotes (line 3)"},
      {"keep: {tags: [a, [b]]}", "keep.tags[1]: Invalid value: […]: must be text (line 3)"},
      {"keep: {tags: [\"nginx:latest\"]}",
       "keep.tags[0]: Invalid value: \"nginx:latest\": must match only tags, such as latest or "
       "v1.*; put patterns for image names in keep.images; did you mean \"latest\"? (line 3)"},
      {"maximumAge: 30m",
       "maximumAge: Invalid value: 30m: must be at least minimumAge (1h) (line 3)"},
      {"maximumAge: 30m\nminimumAge: 31m",
       "minimumAge: Invalid value: 31m: must be at most maximumAge (30m) (line 4)"},
      {"maximumAge: 30m\nminimumAge: 30m", "good"},
      {"rules:\n- name: a\n  action: Untag\n  minimumAge: 2h",
       "rules[0].action: Invalid value: \"Untag\": this action no longer exists, because a tag "
       "alone frees no space; delete the rule: a tag is removed with its image (line 5)"},
      {"maximumAge: 0s", "good"},
      {"diskUsage: {highThresholdPercent: 60}",
       "diskUsage.highThresholdPercent: Invalid value: 60: must be greater than "
       "lowThresholdPercent (65) (line 3)"},
      {"diskUsage: {lowThresholdPercent: 80}",
       "diskUsage.lowThresholdPercent: Invalid value: 80: must be less than highThresholdPercent "
       "(75) (line 3)"},
      {"keep: {imagse: []}",
       "strict decoding error: unknown field \"keep.imagse\" (line 3); did you mean \"images\"?"},
      {"dryrun: false",
       "strict decoding error: unknown field \"dryrun\" (line 3); did you mean \"dryRun\"?"},
      {"profile: Fast",
       "profile: Unsupported value: \"Fast\": supported values: \"Conservative\", \"Balanced\", "
       "\"Aggressive\" (line 3)"},
      {"rules:\n- name: a\n  action: Delete",
       "rules[0].action: Unsupported value: \"Delete\": supported values: \"Keep\", \"Remove\", "
       "\"Evaluate\" (line 5)"},
      {"rules:\n- name: a\n- {name: b, keepLast: -1}",
       "rules[1].keepLast: Invalid value: -1: must be at least 0 (line 5)"},
      {"rules: [{selector: {image: [x]}}]",
       "strict decoding error: unknown field \"rules[0].selector.image\" (line 3); did you mean "
       "\"images\"?"},
      {"buildCache: {}", "strict decoding error: unknown field \"buildCache\" (line 3)"},
      {"keep: {workloads: true}",
       "keep.workloads: Invalid value: true: must be a map of fields (line 3)"},
      {"keep: {workloads: {rollbackRevisions: -1}}",
       "keep.workloads.rollbackRevisions: Invalid value: -1: must be at least 0 (line 3)"},
      {"keep:\n  workloads: {cronjobs: false}",
       "strict decoding error: unknown field \"keep.workloads.cronjobs\" (line 4); did you mean "
       "\"cronJobs\"?"},
      {"keep: {archive: {path: images}}",
       "keep.archive.path: Invalid value: \"images\": must be an absolute path, or empty (line 3)"},
      {"keep: {archive: {path: /var/../etc}}",
       "keep.archive.path: Invalid value: \"/var/../etc\": must not contain .. (line 3)"},
      {"keep: {archive: {path: \"/var/\\n\"}}",
       "keep.archive.path: Invalid value: \"/var/\\n\": must not contain control characters (line "
       "3)"},
      {"keep: {archive: {maxSize: big}}",
       "keep.archive.maxSize: Invalid value: \"big\": is not a quantity of bytes; write e.g. "
       "500Mi, "
       "20Gi or 0 (line 3)"},
      {"<<: {dryRun: false}", "strict decoding error: unknown field \"<<\" (line 3)"},
      {"\"\": 1", "strict decoding error: unknown field \"\" (line 3)"},
      {"\"a\\nb\\e\": 1", "strict decoding error: unknown field \"a\\nb<U+001B>\" (line 3)"},
      {"dryRun: true\ndryRun: false",
       "strict decoding error: duplicate field \"dryRun\" (line 4); already set on line 3"},
      {"keep: {tags: []}\nkeep: {images: []}",
       "strict decoding error: duplicate field \"keep\" (line 4); already set on line 3"},
      {"limits:\n  maxImages: 1\n  maxImages: 1",
       "strict decoding error: duplicate field \"limits.maxImages\" (line 5); already set on line "
       "4"},
  };
  for (const auto& c : cases) EXPECT_EQ(Verdict(WithHead(c.lines)), c.complaint) << c.lines;
}

// P03: a pattern that cannot have the intended meaning is refused, with its place in the list.
TEST(ParsePolicy, RefusesBadKeepPatternsByTheirIndex) {
  struct {
    const char* pattern;
    const char* why;  // null: accepted
  } cases[] = {
      {"localhost:5000/app:*", nullptr},
      {"foo:*", nullptr},
      {"reg/x/*", nullptr},
      {"[fd00::1]:5000/app", nullptr},
      {"**", nullptr},
      {"sha256:0123456789ab", nullptr},
      {"sha256:xyz", "an image ID is sha256: and 12 to 64"},
      {"", "it is empty"},
      {"a b", "it contains a space"},
      {".*", "a part of an image name cannot begin with a dot"},
      {"shop/.*", "a part of an image name cannot begin with a dot"},
      {"^shop$", "not regular expressions"},
      {"(a|b)", "not regular expressions"},
      {"[a-z]*", "not regular expressions"},
      {"[", "not regular expressions"},
      {"shop/[ab]", "not regular expressions"},
      {"app:", "the tag after the colon is empty"},
      {"app@", "the digest after the @ is empty"},
      {"a//b", "a path segment is empty"},
  };
  for (const auto& c : cases) {
    const auto verdict =
        Verdict(WithHead("keep:\n  images:\n  - nginx\n  - \"" + std::string(c.pattern) + "\"\n"));
    if (c.why == nullptr) {
      EXPECT_EQ(verdict, "good") << c.pattern;
      continue;
    }
    EXPECT_THAT(verdict, testing::StartsWith("keep.images[1]: Invalid value: \"" +
                                             std::string(c.pattern) + "\": "));
    EXPECT_THAT(verdict, HasSubstr(c.why));
    EXPECT_THAT(verdict, testing::EndsWith("(line 6)"));
  }
}

TEST(ParsePolicy, RefusesBadTagPatterns) {
  for (const char* pattern : {"", "a/b", "a@b", "v[12]", ".*", "-x", "a b"})
    EXPECT_THAT(Verdict(WithHead("keep: {tags: [\"" + std::string(pattern) + "\"]}")),
                HasSubstr("keep.tags[0]: Invalid value: "))
        << pattern;
  for (const char* pattern : {"latest", "v1.*", "prod-*", "*", "_x", "?"})
    EXPECT_EQ(Verdict(WithHead("keep: {tags: [\"" + std::string(pattern) + "\"]}")), "good");
}

// As in the exclude lists of other programs.
TEST(ParsePolicy, SuggestsACorrectionForEachInvalidPattern) {
  EXPECT_EQ(
      Verdict(WithHead("keep:\n"
                       "  images: [ghcr.io, \"redis:.*\", 29a9d1f50347, \"nginx@sha256:abcd\"]\n"
                       "  tags: [\"v.*\"]\n"
                       "rules:\n"
                       "- name: a\n"
                       "  selector: {images: [\"docker.io/*\"], tags: [\":latest\"]}\n")),
      "keep.images[0]: Invalid value: \"ghcr.io\": it names a registry without a repository; did "
      "you "
      "mean \"ghcr.io/**\" or \"docker.io/library/ghcr.io\"? (line 4)\n"
      "keep.images[1]: Invalid value: \"redis:.*\": a tag cannot begin with a dot or a dash; * "
      "alone matches any text; did you mean \"redis:*\"? (line 4)\n"
      "keep.images[2]: Invalid value: \"29a9d1f50347\": it is ambiguous: an image ID, or a "
      "repository of Docker Hub; did you mean \"sha256:29a9d1f50347\" or "
      "\"docker.io/library/29a9d1f50347\"? (line 4)\n"
      "keep.images[3]: Invalid value: \"nginx@sha256:abcd\": invalid digest: 64 lower-case "
      "hexadecimal digits must follow sha256:; did you mean \"nginx@sha256:abcd*\"? (line 4)\n"
      "keep.tags[0]: Invalid value: \"v.*\": * alone matches any text; .* matches only tags with "
      "a dot there; did you mean \"v*\"? (line 5)\n"
      "rules[0].selector.images[0]: Invalid value: \"docker.io/*\": Docker Hub has no images "
      "directly in docker.io; official images are in docker.io/library; did you mean "
      "\"docker.io/**\" or \"docker.io/library/*\"? (line 8)\n"
      "rules[0].selector.tags[0]: Invalid value: \":latest\": must match only tags, such as latest "
      "or v1.*; put patterns for image names in the selector's images; did you mean \"latest\"? "
      "(line 8)");
}

// As after an editor has commented out every line below.
TEST(ParsePolicy, ASectionWithoutLinesHasItsDefaults) {
  const auto policy = ParsePolicy(
      WithHead("keep:\n#  tags: [latest]\nrules:\n#- {name: a}\ndiskUsage:\n  inodes:\nminimumAge: "
               "2h\n"));
  ASSERT_TRUE(policy) << policy.error().what;
  Policy expected = Policy::Default();
  expected.minimum_age = std::chrono::hours(2);
  EXPECT_EQ(PolicyYaml(*policy), PolicyYaml(expected));
  EXPECT_EQ(Verdict(WithHead("keep:\nkeep: {tags: []}")),
            "strict decoding error: duplicate field \"keep\" (line 4); already set on line 3");
}

// The table of the fields has every section and list.
TEST(ParsePolicy, EverySectionAndListMayHaveNoLines) {
  const std::string defaults = PolicyYaml(Policy::Default());
  int sections = 0;
  for (const auto& row : PolicyFields().Rows(Policy::Default(), "", 0)) {
    if (!row.group && !row.type.name.starts_with("list of ")) continue;
    ++sections;
    std::string lines, indent;
    std::istringstream path(row.path);
    for (std::string name; std::getline(path, name, '.'); indent += "  ")
      lines += indent + name + ":\n";
    const auto policy = ParsePolicy(WithHead(lines + indent + "# nothing\ndryRun: true\n"));
    ASSERT_TRUE(policy) << lines << policy.error().what;
    EXPECT_EQ(PolicyYaml(*policy), defaults) << lines;
  }
  EXPECT_GE(sections, 10);
}

// White space that no editor shows makes the value invalid.
TEST(ParsePolicy, ShowsInvisibleCharactersInErrors) {
  EXPECT_THAT(Verdict(WithHead("maximumAge: 24h\u00a0\n")), HasSubstr("24h<U+00A0>"));
  EXPECT_THAT(Verdict(WithHead("keep:\n  ta\u200bgs: [latest]\n")),
              HasSubstr("unknown field \"keep.ta<U+200B>gs\" (line 4); did you mean \"tags\"?"));
  EXPECT_THAT(Verdict(WithHead("dryRun: false\u0085")), HasSubstr("false<U+0085>"));
  EXPECT_THAT(Verdict(WithHead("keep: {tags: [\"x\u200e\"]}")), HasSubstr("\"x<U+200E>\""));
  EXPECT_THAT(Verdict(WithHead("profile: \u00dcber\n")), HasSubstr("\"\u00dcber\""));
  EXPECT_THAT(Verdict(WithHead("interval: \"1\\th\"\n")), HasSubstr("\"1<U+0009>h\""));
  // A second file behind the first, which begins with a byte order mark.
  EXPECT_THAT(Verdict(WithHead("\ufeffdryRun: true\n")),
              HasSubstr("unknown field \"<U+FEFF>dryRun\" (line 3); did you mean \"dryRun\"?"));
  EXPECT_THAT(Verdict(WithHead("keep:\n\u00a0 tags: []\n")),
              HasSubstr("unknown field \"<U+00A0> tags\" (line 4)"));
  EXPECT_EQ(Verdict(WithHead("keep: {archive: {path: /var/lib\u00ad}}\n")),
            "keep.archive.path: Invalid value: \"/var/lib<U+00AD>\": must not contain invisible "
            "characters (line 3)");
  EXPECT_EQ(Verdict(WithHead("overrides:\n- {nodeSelector: {\"po\u200bol\": ci}, policy: {dryRun: "
                             "true}}\n")),
            "overrides[0].nodeSelector: Invalid value: \"po<U+200B>ol\": must be a valid "
            "label name (line 4)");
}

TEST(ParsePolicy, NamesTheInvisibleCharacterOfAPattern) {
  EXPECT_EQ(Verdict(WithHead("keep:\n  images: [\"shop/\u200b**\"]\n  tags: [\"v1\u00a0\"]\n")),
            "keep.images[0]: Invalid value: \"shop/<U+200B>**\": it has the invisible character "
            "U+200B in column 6; did you mean \"shop/**\"? (line 4)\n"
            "keep.tags[0]: Invalid value: \"v1<U+00A0>\": it has the invisible character U+00A0 in "
            "column 3; did you mean \"v1\"? (line 5)");
}

TEST(ParsePolicy, MakesAllComplaintsAtOnceInOrder) {
  EXPECT_EQ(Verdict("kind: SweepPolice\n"
                    "dryRun: on\n"
                    "keep:\n"
                    "  imagse: []\n"
                    "  tags: [ok, 5]\n"
                    "\n"
                    "diskUsage:\n"
                    "  highThresholdPercent: 101\n"
                    "  lowThresholdPercent: 100\n"
                    "limits:\n"
                    "  maxImages: -1\n"
                    "  maxImages: 2\n"),
            "apiVersion: Required value: must be imagesweep/v1alpha1\n"
            "kind: Unsupported value: \"SweepPolice\": supported values: \"SweepPolicy\" (line 1)\n"
            "dryRun: Invalid value: on: must be true or false, in lower case; other words and "
            "numbers do not count as booleans (line 2)\n"
            "strict decoding error: unknown field \"keep.imagse\" (line 4); did you mean "
            "\"images\"?\n"
            "keep.tags[1]: Invalid value: 5: must be text; put it in quotes (line 5)\n"
            "diskUsage.highThresholdPercent: Invalid value: 101: must be at most 100 (line 8)\n"
            "limits.maxImages: Invalid value: -1: must be at least 0 (line 11)\n"
            "strict decoding error: duplicate field \"limits.maxImages\" (line 12); already set on "
            "line 11");
}

TEST(ParsePolicy, ManyComplaintsAreCutAndSayHowMany) {
  std::string lines;
  for (int i = 0; i < 70; ++i) lines += "x" + std::to_string(i) + ": 1\n";
  const auto verdict = Verdict(WithHead(lines));
  EXPECT_THAT(verdict, testing::EndsWith("\n… and 20 more"));
  EXPECT_EQ(std::count(verdict.begin(), verdict.end(), '\n'), 50);
}

TEST(ParsePolicy, LongTextsAreShortenedWhereTheyAreShown) {
  EXPECT_LT(Verdict(WithHead("interval: \"" + std::string(100'000, 'x') + "\"")).size(), 300U);
  EXPECT_LT(Verdict(WithHead(std::string(1000, 'x') + ": 1")).size(), 300U);
  EXPECT_LT(Verdict(WithHead("keep: {images: [" + std::string(100'000, 'x') + "]}")).size(), 500U);
}

TEST(ParsePolicy, TheHeadIsRequired) {
  EXPECT_EQ(Verdict("dryRun: true\n"),
            "apiVersion: Required value: must be imagesweep/v1alpha1\n"
            "kind: Required value: must be SweepPolicy");
  EXPECT_EQ(Verdict("apiVersion: imagesweep/v1\nkind: SweepPolicy\n"),
            "apiVersion: Unsupported value: \"imagesweep/v1\": supported values: "
            "\"imagesweep/v1alpha1\" (line 1)");
}

TEST(ParsePolicy, RejectsAnEmptyDocument) {
  for (const char* text : {"", "\n", "# only a comment\n", "---\n", "~", "null"})
    EXPECT_NE(Verdict(text), "good") << text;
  EXPECT_THAT(Verdict(""), HasSubstr("the document is empty"));
  EXPECT_EQ(Verdict("[]"), "policy: Invalid value: […]: must be a map of fields (line 1)");
  EXPECT_EQ(Verdict("hello"), "policy: Invalid value: \"hello\": must be a map of fields (line 1)");
}

}  // namespace
}  // namespace imagesweep
