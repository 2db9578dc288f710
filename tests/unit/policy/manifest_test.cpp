#include "agent/policy/manifest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "tests/unit/policy/policy_text.h"

namespace imagesweep {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr const char* kKey = "policy.yaml";

// The verdict on the policy of a manifest, with the lines of the manifest where it has them.
std::string VerdictOn(const std::string& document) {
  const auto found = FindManifestPolicy(document, kKey);
  if (!found) return found.error().what;
  if (!*found) return "no ConfigMap";
  const auto policy = ParsePolicy((*found)->text, {}, (*found)->lines_before.value_or(0));
  return policy ? "good" : policy.error().what;
}

// Lines 1 to 6 are the head; the first line of `data` is line 7.
std::string ConfigMapWith(const std::string& data) {
  return "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: policy\n  namespace: sweep\ndata:\n" +
         data;
}

constexpr const char* kBlock =
    "  policy.yaml: |\n"
    "    apiVersion: imagesweep/v1alpha1\n"
    "    kind: SweepPolicy\n";

TEST(Manifest, HasThePolicyOfABlockWithTheLinesOfTheFile) {
  const auto found = FindManifestPolicy(ConfigMapWith(kBlock), kKey);
  ASSERT_TRUE(found) << found.error().what;
  ASSERT_TRUE(*found);
  EXPECT_EQ((*found)->config_map, "sweep/policy");
  EXPECT_EQ((*found)->text, WithHead(""));
  EXPECT_EQ((*found)->lines_before, 7);

  EXPECT_EQ(VerdictOn(ConfigMapWith(kBlock)), "good");
  EXPECT_EQ(
      VerdictOn(ConfigMapWith(kBlock) + "    interval: 1s\n\n    dryRun: 1\n    dryRun: true\n"),
      "interval: Invalid value: \"1s\": must be at least 1m (line 10)\n"
      "dryRun: Invalid value: 1: must be true or false, in lower case; other words and "
      "numbers do not count as booleans (line 12)\n"
      "strict decoding error: duplicate field \"dryRun\" (line 13); already set on line 12");
  EXPECT_THAT(VerdictOn(ConfigMapWith(kBlock) + "    keep: [\n"), StartsWith("yaml: line 1"));
  EXPECT_THAT(VerdictOn(ConfigMapWith(kBlock) + "    a: b: c\n"), StartsWith("yaml: line 10: "));
  EXPECT_THAT(VerdictOn(ConfigMapWith(kBlock) + "    keep:\u00a0\n      tags: []\n"),
              testing::EndsWith("; line 10 has the invisible character U+00A0 in column 6"));
}

TEST(Manifest, CountsTheLinesOfABlockThatBeginsLate) {
  for (const char* block : {"  policy.yaml: |- # the policy\n\n    # why\n    interval: 1s\n",
                            "  other: |\n    x\n  \"policy.yaml\": |2\n    interval: 1s\n"})
    EXPECT_THAT(VerdictOn(ConfigMapWith(block)), HasSubstr("(line 10)")) << block;
  EXPECT_THAT(VerdictOn("\xEF\xBB\xBF" + ConfigMapWith(kBlock) + "    interval: 1s\r\n"),
              HasSubstr("(line 10)"));
}

// kubectl prints a policy with blanks at the end of a line in quotes.
TEST(Manifest, CountsTheLinesOfATextInQuotesWithinTheText) {
  const std::string quoted =
      "  policy.yaml: \"apiVersion: imagesweep/v1alpha1 \\nkind: SweepPolicy\\ninterval: 1s\\n\"\n";
  const auto found = FindManifestPolicy(ConfigMapWith(quoted), kKey);
  ASSERT_TRUE(found && *found);
  EXPECT_FALSE((*found)->lines_before);
  EXPECT_EQ(VerdictOn(ConfigMapWith(quoted)),
            "interval: Invalid value: \"1s\": must be at least 1m (line 3)");
}

TEST(Manifest, MayBeJson) {
  const std::string policy = WithHead("# \U0001F433 \u00fc \\ \" \t\n");
  for (const std::string& text :
       {WithHead("interval: 2h\n# \U0001F433 \u00fc \\ud83d \"\n"), policy}) {
    const nlohmann::json object = {{"apiVersion", "v1"},
                                   {"kind", "ConfigMap"},
                                   {"metadata", {{"name", "policy"}}},
                                   {"data", {{kKey, text}, {"other", "|"}}}};
    // Also with escapes alone, and indented with tabs.
    for (const std::string& document : {object.dump(), object.dump(4), object.dump(1, '\t'),
                                        object.dump(1, '\t', true), object.dump(-1, ' ', true)}) {
      const auto found = FindManifestPolicy(document, kKey);
      ASSERT_TRUE(found) << found.error().what;
      ASSERT_TRUE(*found) << document;
      EXPECT_EQ((*found)->config_map, "policy");
      EXPECT_EQ((*found)->text, text) << document;
      EXPECT_FALSE((*found)->lines_before);
    }
  }
}

TEST(Manifest, IgnoresOtherDocuments) {
  for (const std::string& document :
       {std::string(), WithHead(""), std::string("{}"), std::string("[]"), std::string("kind: [\n"),
        std::string("kind: Secret\ndata: {policy.yaml: x}\n"), std::string("ConfigMap"),
        std::string("kind:\n  kind: ConfigMap\n"), ConfigMapWith("\t")}) {
    const auto found = FindManifestPolicy(document, kKey);
    ASSERT_TRUE(found) << found.error().what;
    EXPECT_FALSE(*found) << document;
  }
}

TEST(Manifest, SaysWhyItHasNoPolicy) {
  const struct {
    std::string document, why;
  } cases[] = {
      {"kind: ConfigMap\n", "ConfigMap has no key \"policy.yaml\""},
      {ConfigMapWith(""), "ConfigMap \"sweep/policy\" has no key \"policy.yaml\""},
      {ConfigMapWith("  a: x\n  b: y\n"),
       "ConfigMap \"sweep/policy\" has no key \"policy.yaml\" in data, which has \"a\", \"b\"; "
       "select "
       "a key with --policy-key"},
      {"kind: ConfigMap\nbinaryData: {policy.yaml: YQ==}\n",
       "ConfigMap has the key \"policy.yaml\" in binaryData; write the policy as text in data "
       "instead"},
      {ConfigMapWith("  policy.yaml:\n    dryRun: true\n"),
       "data.policy.yaml: Invalid value: {…}: must be text; write `policy.yaml: |` and indent the "
       "policy below it (line 8)"},
      {ConfigMapWith("  policy.yaml: 5\n"),
       "data.policy.yaml: Invalid value: 5: must be text; put it in quotes (line 7)"},
      {ConfigMapWith("  policy.yaml: a\n  policy.yaml: b\n"),
       "strict decoding error: duplicate field \"data.policy.yaml\" (line 8); already set on line "
       "7"},
      {ConfigMapWith("  policy.yaml: a\ndata: {}\n"),
       "strict decoding error: duplicate field \"data\" (line 8); already set on line 6"},
      {"kind: ConfigMap\nbinaryData:\ndata:\n  policy.yaml:\n",
       "policy: Required value: the document is empty; `imagesweep policy defaults` prints a "
       "policy "
       "to start from"},
  };
  for (const auto& c : cases) EXPECT_EQ(VerdictOn(c.document), c.why) << c.document;
}

}  // namespace
}  // namespace imagesweep
