#include <gtest/gtest.h>

#include <map>

#include "agent/gc/plan/planner.h"
#include "tests/support/observation.h"

namespace imagesweep {
namespace {

// Every image is old enough, and none is removed for age or space.
Policy OnlyRetention() {
  Policy policy;
  policy.minimum_age = Millis(0);
  policy.maximum_age = Millis(0);
  policy.disk.high_percent = 0;
  policy.limits.max_percent_of_images = 100;
  policy.limits.max_images = 1000;
  return policy;
}

Code CodeOf(const Policy& policy, ObservationBuilder& seen, std::string_view tag) {
  const Plan plan = MakePlan(policy, seen.seen());
  for (const Decision& decision : plan.decisions)
    for (const ImageName& name : seen.seen().images[decision.image].tags)
      if (name.text().ends_with(tag)) return decision.code;
  ADD_FAILURE() << "no image " << tag;
  return Code::kIdle;
}

TEST(Retention, KeepsTheNewestOfARepositoryInUseWithThoseInUseCountedInside) {
  ObservationBuilder seen;
  for (const char* tag : {"app:v1", "app:v2", "app:v10", "app:v9"}) seen.Add(Img(tag, {tag}));
  seen.Use("app:v2");
  EXPECT_EQ(CodeOf(OnlyRetention(), seen, ":v2"), Code::kInUse);
  EXPECT_EQ(CodeOf(OnlyRetention(), seen, ":v10"), Code::kRetained);
  EXPECT_EQ(CodeOf(OnlyRetention(), seen, ":v9"), Code::kSuperseded);
  EXPECT_EQ(CodeOf(OnlyRetention(), seen, ":v1"), Code::kSuperseded);
}

TEST(Retention, ProtectsTheNewestOnlyFromSupersededInAnUnusedRepository) {
  ObservationBuilder seen;
  for (const char* tag : {"old:v1", "old:v2", "old:v3"})
    seen.Add(Img(tag, {tag}), std::chrono::hours(100));
  EXPECT_EQ(CodeOf(OnlyRetention(), seen, ":v3"), Code::kIdle);
  EXPECT_EQ(CodeOf(OnlyRetention(), seen, ":v1"), Code::kSuperseded);
  Policy policy = OnlyRetention();
  policy.maximum_age = std::chrono::hours(99);
  EXPECT_EQ(CodeOf(policy, seen, ":v3"), Code::kAge);
}

TEST(Retention, TheNewestOfARepositoryIsNeverSuperseded) {
  Policy policy = OnlyRetention();
  policy.keep.last_per_repository = 0;
  ObservationBuilder seen;
  seen.Add(Img("1", {"app:v1"})).Add(Img("2", {"app:v2"}));
  EXPECT_EQ(CodeOf(policy, seen, ":v2"), Code::kIdle);
  EXPECT_EQ(CodeOf(policy, seen, ":v1"), Code::kSuperseded);
}

TEST(Retention, RanksCommitsByTheirFirstObservation) {
  Policy policy = OnlyRetention();
  policy.keep.last_per_repository = 1;
  ObservationBuilder seen;
  seen.Add(Img("a", {"app:ffffff1"})).Add(Img("b", {"app:0000bee"}));
  seen.seen().ages[ImagePos(1)].first_seen = SystemTime(std::chrono::hours(5));
  EXPECT_EQ(CodeOf(policy, seen, ":ffffff1"), Code::kSuperseded);
  EXPECT_EQ(CodeOf(policy, seen, ":0000bee"), Code::kIdle);
}

// A word names a kind of image, not its age. The last seen images are kept for rollback.
TEST(Retention, DoesNotSupersedeATagThatIsAWord) {
  Policy policy = OnlyRetention();
  policy.keep.last_per_repository = 1;
  ObservationBuilder seen;
  seen.Add(Img("a", {"shop:frontend"})).Add(Img("b", {"shop:backend"}));
  seen.seen().ages[ImagePos(1)].first_seen = SystemTime(std::chrono::hours(5));
  EXPECT_EQ(CodeOf(policy, seen, ":frontend"), Code::kIdle);
  seen.Use("shop:backend");
  EXPECT_EQ(CodeOf(policy, seen, ":frontend"), Code::kIdle);
}

// In a new age store, all images have the same first observation. A name that sorts low is no
// reason for a removal.
TEST(Retention, KeepsAllCommitsWithEqualFirstObservation) {
  ObservationBuilder seen;
  for (const char* tag : {"app:77c01de", "app:3f2a9bc", "app:a000000", "app:ffffff1"})
    seen.Add(Img(tag, {tag}));
  seen.Use("app:3f2a9bc");
  for (const char* tag : {":77c01de", ":a000000", ":ffffff1"})
    EXPECT_EQ(CodeOf(OnlyRetention(), seen, tag), Code::kRetained) << tag;
  seen.Add(Img("new", {"app:0000bee"}));
  seen.seen().ages.back().first_seen = SystemTime(std::chrono::hours(5));
  EXPECT_EQ(CodeOf(OnlyRetention(), seen, ":0000bee"), Code::kRetained);
  EXPECT_EQ(CodeOf(OnlyRetention(), seen, ":ffffff1"), Code::kSuperseded)
      << "what came later is known to be newer than all of them";
}

// A repository moved from versions to commits: neither scheme takes the rollback places of the
// other.
TEST(Retention, TagsWithAndWithoutAVersionAreRankedApart) {
  ObservationBuilder seen;
  for (const char* tag : {"api:v1", "api:v8", "api:v9", "api:77c01de", "api:3f2a9bc"})
    seen.Add(Img(tag, {tag}));
  for (std::size_t i : {3, 4})
    seen.seen().ages[ImagePos(i)].first_seen = SystemTime(std::chrono::hours(i));
  seen.Use("api:3f2a9bc");
  EXPECT_EQ(CodeOf(OnlyRetention(), seen, ":77c01de"), Code::kRetained);
  EXPECT_EQ(CodeOf(OnlyRetention(), seen, ":v9"), Code::kRetained);
  EXPECT_EQ(CodeOf(OnlyRetention(), seen, ":v8"), Code::kRetained);
  EXPECT_EQ(CodeOf(OnlyRetention(), seen, ":v1"), Code::kSuperseded);
}

// Built on the node a minute ago, and tagged without a version: an old v1 does not make it old.
TEST(Retention, ALocalImageWithoutAVersionIsNotSupersededByOneWith) {
  Policy policy = OnlyRetention();
  policy.keep.last_per_repository = 1;
  policy.keep.local_only = LocalOnly::kUnlessSuperseded;
  ObservationBuilder seen;
  for (const char* tag : {"app:v1", "app:fix-login"}) {
    Image image = Img(tag, {tag});
    MakeLocal(image);
    seen.Add(image);
  }
  EXPECT_EQ(CodeOf(policy, seen, ":fix-login"), Code::kLocalOnly);
}

TEST(Retention, RanksATagWithoutAVersionByTheOtherTagOfItsImage) {
  ObservationBuilder seen;
  seen.Add(Img("3", {"app:latest", "app:v3"})).Add(Img("2", {"app:v2"})).Add(Img("1", {"app:v1"}));
  seen.Use("app:v2");
  EXPECT_EQ(CodeOf(OnlyRetention(), seen, ":v3"), Code::kRetained);
  EXPECT_EQ(CodeOf(OnlyRetention(), seen, ":v1"), Code::kSuperseded);
}

Image ByDigest(const std::string& name, const std::string& repository) {
  Image image = Img(name, {});
  image.digests = {ImageName::Parse(repository + "@sha256:" + std::string(63, '0') + name)};
  image.origin = {OriginKind::kPulled, "pulled by digest", image.digests[0].text()};
  return image;
}

// Releases pinned by digest are also kept for rollback if the repository has no tags.
TEST(Retention, NamesByDigestHavePlacesInARepositoryWithoutTags) {
  ObservationBuilder seen;
  for (const char* name : {"1", "2", "3"}) {
    seen.Add(ByDigest(name, "reg.io/shop/api"), std::chrono::hours(900));
    seen.seen().ages.back().first_seen = SystemTime(std::chrono::hours(name[0]));
  }
  seen.Use(seen.seen().images[ImagePos(2)].digests[0].text());
  Policy policy = OnlyRetention();
  policy.maximum_age = std::chrono::hours(10);
  const Plan plan = MakePlan(policy, seen.seen());
  EXPECT_EQ(plan.decisions[ImagePos(0)].code, Code::kAge);
  EXPECT_EQ(plan.decisions[ImagePos(1)].code, Code::kRetained);
  EXPECT_EQ(plan.decisions[ImagePos(2)].code, Code::kInUse);
}

TEST(Retention, AnImageGoesOnlyWhenAllItsNamesMay) {
  Policy policy = OnlyRetention();
  policy.keep.last_per_repository = 1;
  ObservationBuilder seen;
  seen.Add(Img("1", {"app:v1", "other:v1"})).Add(Img("2", {"app:v2"}));
  EXPECT_EQ(CodeOf(policy, seen, "app:v1"), Code::kIdle);
  seen.Add(Img("3", {"other:v2"}));
  EXPECT_EQ(CodeOf(policy, seen, "app:v1"), Code::kSuperseded);
}

TEST(Retention, RemovesSupersededLocalOnlyImagesIfThePolicyAllowsIt) {
  Policy policy = OnlyRetention();
  policy.keep.last_per_repository = 1;
  ObservationBuilder seen;
  for (const char* tag : {"app:v1", "app:v2"}) {
    Image image = Img(tag, {tag});
    MakeLocal(image);
    seen.Add(image);
  }
  EXPECT_EQ(CodeOf(policy, seen, ":v1"), Code::kLocalOnly);
  policy.keep.local_only = LocalOnly::kUnlessSuperseded;
  EXPECT_EQ(CodeOf(policy, seen, ":v1"), Code::kSuperseded);
  EXPECT_EQ(CodeOf(policy, seen, ":v2"), Code::kLocalOnly);
}

// A service with one deployed version and two rounds of clean-up, with the replacement of each tag.
// "latest" and "v2" are not compared.
TEST(Retention, NamesTheVersionThatReplacedEachRemovedOne) {
  Policy policy = OnlyRetention();
  policy.keep.last_per_repository = 1;
  ObservationBuilder seen;
  const std::initializer_list<std::string_view> twins = {"backend-api:v2-idempotency",
                                                         "backend-api:latest"};
  seen.Add(Img("a2", {"audit-service:v2-idempotency"}))
      .Add(Img("a3", {"audit-service:v3-idempotency-fixed"}));
  seen.Add(Img("b2", twins)).Add(Img("b3", {"backend-api:v3-idempotency-fixed"}));
  seen.Add(Img("m1", {"mcp-server:latest"})).Add(Img("m2", {"mcp-server:v2-idempotency"}));
  seen.Add(Img("n2", {"notification-service:v2"})).Add(Img("n", {"notification-service:latest"}));
  for (const char* used : {"audit-service:v3-idempotency-fixed", "backend-api:v3-idempotency-fixed",
                           "mcp-server:v2-idempotency", "notification-service:latest"})
    seen.Use(used);
  const Plan plan = MakePlan(policy, seen.seen());
  std::map<std::string, std::string> replaced;
  for (const auto at : plan.removals)
    replaced[seen.seen().images[at].tags[0].text()] = plan.decisions[at].superseded_by;
  const std::map<std::string, std::string> expected = {
      {"docker.io/library/audit-service:v2-idempotency",
       "docker.io/library/audit-service:v3-idempotency-fixed"},
      {"docker.io/library/backend-api:v2-idempotency",
       "docker.io/library/backend-api:v3-idempotency-fixed"}};
  EXPECT_EQ(replaced, expected);
}

Rule MakeRule(std::string name, std::vector<const char*> images, std::vector<std::string> tags,
              RuleAction action) {
  Rule rule;
  rule.name = std::move(name);
  for (const char* image : images) rule.selector.images.push_back(*ImageGlob::Parse(image));
  rule.selector.tags = std::move(tags);
  rule.action = action;
  return rule;
}

// Promoted by a copy: known as dev by its tag, and as prod only by its digest.
TEST(Rules, SeeADigestInARepositoryOfWhichTheImageHasNoTag) {
  Policy policy = OnlyRetention();
  policy.rules.push_back(MakeRule("prod", {"reg.io/prod/**"}, {}, RuleAction::kKeep));
  policy.rules.push_back(MakeRule("dev", {"reg.io/dev/**"}, {}, RuleAction::kRemove));
  ObservationBuilder seen;
  Image image = ByDigest("1", "reg.io/prod/y");
  image.tags = {ImageName::Parse("reg.io/dev/x:1")};
  seen.Add(image);
  EXPECT_EQ(CodeOf(policy, seen, ":1"), Code::kKeepRule);
  policy.rules.erase(policy.rules.begin());
  EXPECT_EQ(CodeOf(policy, seen, ":1"), Code::kIdle) << "not all of its names may go";
}

TEST(Rules, MayNameAnImageByItsId) {
  Policy policy = OnlyRetention();
  ObservationBuilder seen;
  seen.Add(Img("app", {"app:1"}));
  policy.rules.push_back(MakeRule("this", {seen.seen().images[ImagePos(0)].id.text().c_str()}, {},
                                  RuleAction::kRemove));
  EXPECT_EQ(CodeOf(policy, seen, ":1"), Code::kRule);
}

TEST(Rules, TheFirstMatchDecidesAndProtectionsStillWin) {
  Policy policy = OnlyRetention();
  policy.rules.push_back(MakeRule("keep-v1", {"app"}, {"v1"}, RuleAction::kKeep));
  policy.rules.push_back(MakeRule("all", {}, {}, RuleAction::kRemove));
  Image pinned = Img("p", {"pinned:1"});
  pinned.pinned = true;
  ObservationBuilder seen;
  seen.Add(Img("1", {"app:v1"}))
      .Add(Img("2", {"app:v2"}))
      .Add(pinned)
      .Add(Img("u", {"used:1"}))
      .Use("used:1");
  EXPECT_EQ(CodeOf(policy, seen, "app:v1"), Code::kKeepRule);
  EXPECT_EQ(CodeOf(policy, seen, "pinned:1"), Code::kPinned);
  EXPECT_EQ(CodeOf(policy, seen, "used:1"), Code::kInUse);
  EXPECT_EQ(CodeOf(policy, seen, "app:v2"), Code::kRule);
}

// As the reference of the policy says.
TEST(Rules, KeepLastComesBeforeTheActionRemove) {
  Policy policy = OnlyRetention();
  policy.rules.push_back(MakeRule("app", {"app"}, {}, RuleAction::kRemove));
  std::optional<int>& keep_last = policy.rules[0].keep_last;
  ObservationBuilder seen;
  for (const char* tag : {"app:v1", "app:v2", "app:v3", "app:v4"}) seen.Add(Img(tag, {tag}));
  const auto codes = [&] {
    std::vector<Code> all;
    for (const char* tag : {":v1", ":v2", ":v3", ":v4"}) all.push_back(CodeOf(policy, seen, tag));
    return all;
  };
  using enum Code;
  keep_last = 2;
  EXPECT_EQ(codes(), (std::vector{kRule, kRule, kRetained, kRetained}));
  keep_last = 0;
  EXPECT_EQ(codes(), (std::vector{kRule, kRule, kRule, kRule}));
  keep_last.reset();
  EXPECT_EQ(codes(), (std::vector{kRule, kRule, kRule, kRule})) << "nothing of it is in use";
  seen.Use("app:v1");
  EXPECT_EQ(codes(), (std::vector{kInUse, kRule, kRule, kRetained})) << "keep.lastPerRepository: 2";
  keep_last = 3;
  EXPECT_EQ(codes(), (std::vector{kInUse, kRule, kRetained, kRetained}));
  keep_last = 0;
  EXPECT_EQ(codes(), (std::vector{kInUse, kRule, kRule, kRule}));
  policy.rules[0].action = RuleAction::kKeep;
  EXPECT_EQ(codes(), (std::vector{kInUse, kKeepRule, kKeepRule, kKeepRule}));
}

TEST(Rules, ApplyTheNumbersOfEvaluateOnlyToSelectedImages) {
  Policy policy = OnlyRetention();
  policy.maximum_age = std::chrono::hours(100);
  Rule rule = MakeRule("ci", {"ci/*"}, {}, RuleAction::kEvaluate);
  rule.maximum_age = std::chrono::hours(2);
  policy.rules.push_back(rule);
  ObservationBuilder seen;
  seen.Add(Img("c", {"ci/x:1"}), std::chrono::hours(3))
      .Add(Img("o", {"other:1"}), std::chrono::hours(3));
  EXPECT_EQ(CodeOf(policy, seen, "x:1"), Code::kAge);
  EXPECT_EQ(CodeOf(policy, seen, "other:1"), Code::kIdle);
}

}  // namespace
}  // namespace imagesweep
