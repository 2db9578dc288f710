#include "agent/policy/render.h"

#include <gmock/gmock.h>

#include <gtest/gtest.h>
#include <fstream>
#include <iterator>

#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>

#include "agent/policy/fields.h"
#include "agent/policy/override.h"
#include "agent/policy/parse.h"
#include "tests/policy/policy_text.h"

namespace imagesweep {
namespace {

using testing::HasSubstr;

void ExpectSame(const Policy& a, const Policy& b) {
  EXPECT_EQ(a.dry_run, b.dry_run);
  EXPECT_EQ(a.suspend, b.suspend);
  EXPECT_EQ(a.interval, b.interval);
  EXPECT_EQ(a.initial_delay, b.initial_delay);
  EXPECT_EQ(a.jitter_percent, b.jitter_percent);
  EXPECT_EQ(a.minimum_age, b.minimum_age);
  EXPECT_EQ(a.maximum_age, b.maximum_age);
  EXPECT_EQ(a.remove_dangling, b.remove_dangling);
  EXPECT_EQ(a.disk.high_percent, b.disk.high_percent);
  EXPECT_EQ(a.disk.low_percent, b.disk.low_percent);
  ASSERT_EQ(a.keep.images.size(), b.keep.images.size());
  for (std::size_t i = 0; i < a.keep.images.size(); ++i)
    EXPECT_EQ(a.keep.images[i].text(), b.keep.images[i].text());
  EXPECT_EQ(a.keep.tags, b.keep.tags);
  EXPECT_EQ(a.keep.local_only, b.keep.local_only);
  EXPECT_EQ(a.profile, b.profile);
  EXPECT_EQ(a.remove_superseded, b.remove_superseded);
  EXPECT_EQ(a.keep.last_per_repository, b.keep.last_per_repository);
  EXPECT_EQ(a.keep.unknown, b.keep.unknown);
  EXPECT_EQ(a.keep.workloads, b.keep.workloads);
  EXPECT_EQ(a.keep.archive, b.keep.archive);
  ASSERT_EQ(a.rules.size(), b.rules.size());
  for (std::size_t i = 0; i < a.rules.size(); ++i) {
    EXPECT_EQ(a.rules[i].name, b.rules[i].name);
    EXPECT_EQ(a.rules[i].selector.images.size(), b.rules[i].selector.images.size());
    EXPECT_EQ(a.rules[i].selector.tags, b.rules[i].selector.tags);
    EXPECT_EQ(a.rules[i].selector.tag_status, b.rules[i].selector.tag_status);
    EXPECT_EQ(a.rules[i].action, b.rules[i].action);
    EXPECT_EQ(a.rules[i].keep_last, b.rules[i].keep_last);
    EXPECT_EQ(a.rules[i].minimum_age, b.rules[i].minimum_age);
    EXPECT_EQ(a.rules[i].maximum_age, b.rules[i].maximum_age);
  }
  EXPECT_EQ(a.limits.max_images, b.limits.max_images);
  EXPECT_EQ(a.limits.max_bytes, b.limits.max_bytes);
  EXPECT_EQ(a.limits.max_percent_of_images, b.limits.max_percent_of_images);
  EXPECT_EQ(a.limits.removal_delay, b.limits.removal_delay);
  EXPECT_EQ(a.limits.max_failures, b.limits.max_failures);
  EXPECT_EQ(a.limits.confirm_runs, b.limits.confirm_runs);
  EXPECT_EQ(a.windows, b.windows);
  EXPECT_EQ(a.disk.inodes, b.disk.inodes);
  EXPECT_EQ(a.disk.critical.threshold_percent, b.disk.critical.threshold_percent);
  EXPECT_EQ(a.disk.critical.minimum_age, b.disk.critical.minimum_age);
  ASSERT_EQ(a.size_limits.size(), b.size_limits.size());
  for (std::size_t i = 0; i < a.size_limits.size(); ++i) {
    EXPECT_EQ(a.size_limits[i].images.text(), b.size_limits[i].images.text());
    EXPECT_EQ(a.size_limits[i].max_size, b.size_limits[i].max_size);
  }
  EXPECT_EQ(a.reporting.storage_cost_per_gib_month, b.reporting.storage_cost_per_gib_month);
  EXPECT_EQ(a.reporting.history_limit, b.reporting.history_limit);
  ASSERT_EQ(a.overrides.size(), b.overrides.size());
  for (std::size_t i = 0; i < a.overrides.size(); ++i) {
    EXPECT_EQ(a.overrides[i].node_selector, b.overrides[i].node_selector);
    EXPECT_EQ(a.overrides[i].written, b.overrides[i].written);
  }
}

TEST(Render, TheDefaultDocumentIsTheDefaultPolicy) {
  const auto policy = ParsePolicy(DefaultPolicyYaml());
  ASSERT_TRUE(policy) << policy.error().what;
  ExpectSame(*policy, Policy::Default());
}

TEST(Render, TheDefaultDocumentSaysWhatEachFieldMeans) {
  const auto yaml = DefaultPolicyYaml();
  EXPECT_THAT(yaml, testing::StartsWith("apiVersion: imagesweep/v1alpha1\nkind: SweepPolicy\n"));
  EXPECT_THAT(yaml, HasSubstr("# Evaluate and report, but remove nothing\ndryRun: true\n"));
  EXPECT_THAT(yaml, HasSubstr("# Time between two runs (1m … 24h)\ninterval: 15m\n"));
  EXPECT_THAT(yaml, HasSubstr("\n  images: [\"localhost/**\"]\n"));
  EXPECT_THAT(yaml, HasSubstr("\n  localOnly: Always\n"));
  EXPECT_THAT(yaml, HasSubstr("\n    enabled: true\n"));
  EXPECT_THAT(yaml, HasSubstr("\n    rollbackRevisions: 2\n"));
  EXPECT_THAT(yaml, HasSubstr("\n    scaledToZero: true\n"));
  EXPECT_THAT(yaml, HasSubstr("\n    cronJobs: true\n"));
  EXPECT_THAT(yaml, HasSubstr("\n    path: \"\"\n"));
  EXPECT_THAT(yaml, HasSubstr("\n    maxSize: 10Gi\n"));
  std::istringstream lines(yaml);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 100U) << line;
}

TEST(Render, EveryPolicyIsReadBackAsItWas) {
  Policy policy = Policy::Default();
  policy.dry_run = false;
  policy.suspend = true;
  policy.interval = Millis(61'001);
  policy.initial_delay = Millis(1);
  policy.jitter_percent = 100;
  policy.minimum_age = std::chrono::hours(24 * 365);
  policy.maximum_age = std::chrono::hours(24 * 365 * 99);
  policy.remove_dangling = false;
  policy.disk = {{100, 0}, {99, 1}, {98, Millis(7)}};
  policy.windows = {{{Weekday::kSaturday, Weekday::kMonday},
                     std::chrono::minutes(22 * 60),
                     std::chrono::minutes(24 * 60),
                     "Europe/Berlin"},
                    {}};
  policy.size_limits = {{*ImageGlob::Parse("shop/**"), 1ULL << 30}};
  policy.reporting = {0.023, 7};
  policy.overrides = {
      {{{"pool", "ci"}, {"example.com/tier", "1"}},
       R"({"maximumAge": "870000h", "keep": {"tags": ["1.0", "x"]}, "dryRun": true})",
       nullptr}};
  policy.keep.images = {*ImageGlob::Parse("*/shop/*:prod-*"), *ImageGlob::Parse("nginx")};
  policy.keep.tags = {"1.25", "latest", "*"};
  policy.keep.local_only = LocalOnly::kNever;
  policy.profile = Profile::kAggressive;
  policy.remove_superseded = false;
  policy.keep.last_per_repository = 7;
  policy.keep.unknown = true;
  policy.keep.workloads = {true, 0, false, false};
  policy.keep.archive = {"/var/lib/image archive", 3ULL << 30};
  Rule rule;
  rule.name = "production";
  rule.selector = {{*ImageGlob::Parse("*/shop/*")}, {"prod-*"}, TagStatus::kTagged};
  rule.action = RuleAction::kRemove;
  rule.keep_last = 15;
  rule.minimum_age = std::chrono::hours(2);
  policy.rules = {rule, Rule{}};
  policy.rules[1].name = "rest";
  policy.limits = {0, (5ULL << 30) + 1, 0, Millis(0), 1, 3};
  const auto again = ParsePolicy(PolicyYaml(policy));
  ASSERT_TRUE(again) << again.error().what;
  ExpectSame(*again, policy);

  policy.limits.max_bytes = 3ULL << 40;
  EXPECT_THAT(PolicyYaml(policy), HasSubstr("maxBytes: 3Ti\n"));
}

TEST(Render, TheReferencePageHasEveryField) {
  const auto page = PolicyReferenceMarkdown();
  for (const auto& row : PolicyFields().Rows(Policy::Default(), "", 0)) {
    EXPECT_THAT(page, HasSubstr("\n| `" + row.path + "` | "));
    EXPECT_FALSE(row.meaning.empty()) << row.path;
    EXPECT_FALSE(row.type.name.empty()) << row.path;
  }
  EXPECT_THAT(page, HasSubstr("| `interval` | duration: 1m … 24h | `15m` | "));
  EXPECT_THAT(
      page,
      HasSubstr(
          "| `keep.localOnly` | string: `Always` or `UnlessSuperseded` or `Never` | `Always` | "));
  EXPECT_THAT(page, HasSubstr("| `kind` | string: `SweepPolicy` | required | "));
}

TEST(Render, TheReferencePageHasEveryFieldOfEveryList) {
  const auto page = PolicyReferenceMarkdown();
  for (const ItemTable& table : ItemTables()) {
    EXPECT_THAT(page, HasSubstr("\n## " + table.title + "\n"));
    EXPECT_FALSE(table.rows.empty());
    for (const auto& row : table.rows) EXPECT_THAT(page, HasSubstr("\n| `" + row.path + "` | "));
  }
}

TEST(Render, TheSchemaIsStrictAndHasEveryField) {
  const auto schema = nlohmann::json::parse(PolicyJsonSchema());
  for (const auto& row : PolicyFields().Rows(Policy::Default(), "", 0)) {
    const nlohmann::json* at = &schema;
    std::istringstream path(row.path);
    for (std::string name; std::getline(path, name, '.');) {
      EXPECT_EQ(at->at("additionalProperties"), false) << row.path;
      at = &at->at("properties").at(name);
    }
    EXPECT_EQ(at->at("description"), row.meaning) << row.path;
  }
  EXPECT_EQ(schema.at("required"), nlohmann::json({"apiVersion", "kind"}));
  const auto& rule = schema.at("properties").at("rules").at("items");
  EXPECT_EQ(rule.at("additionalProperties"), false);
  EXPECT_EQ(rule.at("properties").at("action").at("enum"),
            nlohmann::json({"Keep", "Remove", "Evaluate"}));
}

TEST(Render, TheSchemaTakesSectionsWithoutLinesAsTheParserDoes) {
  const auto fields = nlohmann::json::parse(PolicyJsonSchema()).at("properties");
  const auto type = [&](const char* pointer) {
    return fields.at(nlohmann::json::json_pointer(pointer)).at("type");
  };
  EXPECT_EQ(Verdict(WithHead("keep:\nrules:\n")), "good");
  EXPECT_EQ(type("/keep"), nlohmann::json({"object", "null"}));
  EXPECT_EQ(type("/rules"), nlohmann::json({"array", "null"}));
  EXPECT_EQ(Verdict(WithHead("diskUsage: {inodes: }\nkeep: {tags: }\n")), "good");
  EXPECT_EQ(type("/diskUsage/properties/inodes"), nlohmann::json({"object", "null"}));
  EXPECT_EQ(type("/keep/properties/tags"), nlohmann::json({"array", "null"}));
  EXPECT_NE(Verdict(WithHead("dryRun:\n")), "good");
  EXPECT_EQ(type("/dryRun"), "boolean");
  EXPECT_NE(Verdict(WithHead("rules: [{name: a, selector: }]\n")), "good");
  EXPECT_EQ(type("/rules/items/properties/selector"), "object");
}

TEST(Render, TheSchemaOfAnOverrideHasTheFieldsThatItMayReplace) {
  const auto fields = nlohmann::json::parse(PolicyJsonSchema()).at("properties");
  const auto patch = fields.at("overrides").at("items").at("properties").at("policy");
  std::vector<std::string> expected, found;
  for (const auto& [name, field] : fields.items())
    if (CanBeOverridden(name)) expected.push_back(name);
  for (const auto& [name, field] : patch.at("properties").items()) found.push_back(name);
  EXPECT_EQ(found, expected);
  EXPECT_EQ(patch.at("additionalProperties"), false);
  EXPECT_EQ(patch.at("minProperties"), 1);
  EXPECT_FALSE(patch.contains("required"));
  EXPECT_FALSE(patch.at("description").get<std::string>().empty());
  const auto limits = [](const nlohmann::json& all) {
    return all.at("limits").at("properties").at("maxImages");
  };
  EXPECT_TRUE(limits(fields).contains("default"));
  EXPECT_FALSE(limits(patch.at("properties")).contains("default"))
      << "a field that the override leaves out has the value of the policy";
}

TEST(Render, ThePatternsOfTheSchemaAreThoseOfTheParser) {
  const struct {
    const char *field, *before, *text, *after;
    bool accepted;
  } rows[] = {
      {"/minimumAge", "minimumAge: ", "0", "", true},
      {"/minimumAge", "minimumAge: ", "0s", "", true},
      {"/minimumAge", "minimumAge: ", "1h30m", "", true},
      {"/minimumAge", "minimumAge: ", "1.5h", "", true},
      {"/minimumAge", "minimumAge: ", "2.h.5h", "", true},
      {"/minimumAge", "minimumAge: ", "1w1d1h1m1s1ms", "", true},
      {"/minimumAge", "minimumAge: ", "4000000ns4000us4000\u00B5s", "", true},
      {"/minimumAge", "minimumAge: ", "7", "", false},
      {"/minimumAge", "minimumAge: ", "0h0", "", false},
      {"/minimumAge", "minimumAge: ", "-1h", "", false},
      {"/minimumAge", "minimumAge: ", "1 h", "", false},
      {"/minimumAge", "minimumAge: ", "1.2.3h", "", false},
      {"/minimumAge", "minimumAge: ", "7days", "", false},
      {"/minimumAge", "minimumAge: ", ".h", "", false},
      {"/minimumAge", "minimumAge: ", "", "", false},
      {"/interval", "interval: ", "90s", "", true},
      {"/interval", "interval: ", "0", "", false},
      {"/limits/properties/maxBytes", "limits: {maxBytes: ", "0", "}", true},
      {"/limits/properties/maxBytes", "limits: {maxBytes: ", "20Gi", "}", true},
      {"/limits/properties/maxBytes", "limits: {maxBytes: ", "1.5k", "}", true},
      {"/limits/properties/maxBytes", "limits: {maxBytes: ", ".5M", "}", true},
      {"/limits/properties/maxBytes", "limits: {maxBytes: ", "1e3Ki", "}", true},
      {"/limits/properties/maxBytes", "limits: {maxBytes: ", "1E", "}", true},
      {"/limits/properties/maxBytes", "limits: {maxBytes: ", "1E+3", "}", true},
      {"/limits/properties/maxBytes", "limits: {maxBytes: ", "20GB", "}", false},
      {"/limits/properties/maxBytes", "limits: {maxBytes: ", "20gi", "}", false},
      {"/limits/properties/maxBytes", "limits: {maxBytes: ", "1ki", "}", false},
      {"/limits/properties/maxBytes", "limits: {maxBytes: ", "0x10", "}", false},
      {"/limits/properties/maxBytes", "limits: {maxBytes: ", "-1", "}", false},
      {"/limits/properties/maxBytes", "limits: {maxBytes: ", "inf", "}", false},
      {"/windows/items/properties/start", "windows: [{end: \"01:00\", start: ", "23:59", "}]",
       true},
      {"/windows/items/properties/end", "windows: [{start: \"01:00\", end: ", "24:00", "}]", true},
      {"/windows/items/properties/end", "windows: [{start: \"01:00\", end: ", "24:01", "}]", false},
      {"/windows/items/properties/end", "windows: [{start: \"01:00\", end: ", "7:00", "}]", false},
      {"/keep/properties/archive/properties/path", "keep: {archive: {path: ", "", "}}", true},
      {"/keep/properties/archive/properties/path", "keep: {archive: {path: ", "/state/a b", "}}",
       true},
      {"/keep/properties/archive/properties/path", "keep: {archive: {path: ", "state", "}}", false},
  };
  const auto fields = nlohmann::json::parse(PolicyJsonSchema()).at("properties");
  for (const auto& [field, before, text, after, accepted] : rows) {
    const auto document = std::string(before) + '"' + text + '"' + after + "\n";
    EXPECT_EQ(Verdict(WithHead(document)) == "good", accepted) << Verdict(WithHead(document));
    const auto pattern = fields.at(nlohmann::json::json_pointer(field)).at("pattern");
    EXPECT_EQ(std::regex_search(text, std::regex(pattern.get<std::string>())), accepted)
        << field << ": " << text << " " << pattern;
  }
}

TEST(Render, AProfileFillsWhatTheDocumentLeavesOut) {
  const auto policy = ParsePolicy(
      "apiVersion: imagesweep/v1alpha1\nkind: SweepPolicy\nminimumAge: 2h\nprofile: Aggressive\n");
  ASSERT_TRUE(policy) << policy.error().what;
  EXPECT_EQ(policy->keep.last_per_repository, 1);
  EXPECT_EQ(policy->keep.local_only, LocalOnly::kUnlessSuperseded);
  EXPECT_EQ(policy->minimum_age, std::chrono::hours(2));
  for (const Profile profile : {Profile::kConservative, Profile::kBalanced, Profile::kAggressive}) {
    const auto again = ParsePolicy(PolicyYaml(Policy::Default(profile)));
    ASSERT_TRUE(again) << again.error().what;
    ExpectSame(*again, Policy::Default(profile));
  }
}

// The table of patterns is what the matcher does.
TEST(Render, TheReferencePageSaysHowPatternsAreRead) {
  EXPECT_THAT(PolicyReferenceMarkdown(), HasSubstr("\n## Patterns\n"));
  const struct {
    const char *pattern, *image;
    bool matches;
  } rows[] = {
      {"nginx", "nginx:1.25", true},
      {"nginx", "registry.example/nginx:1", false},
      {"shop/**", "docker.io/shop/team/api:1", true},
      {"shop/**", "shop.example/api:1", false},
      {"shop/**", "registry.example/shop/api:1", false},
      {"shop.example/**", "shop.example/team/api:1", true},
      {"shop.example/**", "shop/api:1", false},
      {"*/shop/*", "registry.example/shop/api:1", true},
      {"*/shop/*", "registry.example/shop/team/api:1", false},
      {"**/shop/**", "registry.example/team/shop/api:1", true},
      {"**/shop/**", "workshop/api:1", false},
      {"**", "registry.example/a/b/c:1", true},
      {"redis:7.*", "redis:7.2", true},
      {"redis:7.*", "redis:latest", false},
      {"docker.io/**", "nginx:1", true},
      {"docker.io/**", "registry-1.docker.io/library/nginx:1", false},
      {"shop.example/*", "shop.example/api:1", true},
      {"shop.example/*", "shop.example/team/api:1", false},
      {"*", "nginx:1", true},
      {"*", "shop/api:1", false},
  };
  for (const auto& [pattern, image, matches] : rows) {
    EXPECT_EQ(ImageGlob::Parse(pattern)->Matches(ImageName::Parse(image)), matches)
        << pattern << " " << image;
    EXPECT_THAT(PolicyReferenceMarkdown(), HasSubstr("| `" + std::string(pattern) + "` |"));
  }
}

// The page in docs/ is made by `imagesweep policy reference`; it must not fall behind.
TEST(Render, TheReferencePageInTheDocumentsIsTheOneOfThisTable) {
  std::ifstream page(IMAGESWEEP_SOURCE_DIR "/docs/reference/policy.md");
  const std::string text{std::istreambuf_iterator<char>(page), {}};
  EXPECT_EQ(text, PolicyReferenceMarkdown()) << "run: make docs";
}

// The chart takes the schema from docs/, which has what `imagesweep policy schema` prints.
TEST(Render, TheSchemaInTheDocumentsIsTheOneOfThisTable) {
  std::ifstream file(IMAGESWEEP_SOURCE_DIR "/docs/reference/policy.schema.json");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  EXPECT_EQ(text, PolicyJsonSchema() + "\n") << "run: make docs manifests";
}

}  // namespace
}  // namespace imagesweep
