#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "agent/policy/parse.h"
#include "agent/policy/render.h"

namespace imagesweep {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kHead = "apiVersion: imagesweep/v1alpha1\nkind: SweepPolicy\n";

TEST(Profile, AppliesAsIfTheDocumentNamedIt) {
  const std::string head = "apiVersion: imagesweep/v1alpha1\nkind: SweepPolicy\n";
  const std::string rest =
      "minimumAge: 2h\nkeep: {lastPerRepository: 5}\n"
      "overrides:\n- {nodeSelector: {pool: ci}, policy: {profile: Conservative}}\n"
      "- {nodeSelector: {pool: web}, policy: {minimumAge: 3h}}\n";
  for (const std::string before : {"", "profile: Conservative\n"}) {
    const auto tried = ParsePolicy(head + before + rest, Profile::kAggressive);
    const auto written = ParsePolicy(head + "profile: Aggressive\n" + rest);
    ASSERT_TRUE(tried) << tried.error().what;
    ASSERT_TRUE(written);
    EXPECT_EQ(PolicyYaml(*tried), PolicyYaml(*written));
    EXPECT_EQ(tried->minimum_age, std::chrono::hours(2));
    for (std::size_t i = 0; i < 2; ++i)
      EXPECT_EQ(PolicyYaml(*tried->overrides[i].policy), PolicyYaml(*written->overrides[i].policy));
    EXPECT_EQ(tried->overrides[0].policy->profile, Profile::kConservative);
    EXPECT_EQ(tried->overrides[1].policy->profile, Profile::kAggressive);
  }
  EXPECT_FALSE(ParsePolicy(head + "minimumAge: 48h\n", Profile::kAggressive))
      << "its maximumAge is 24h";
  EXPECT_FALSE(ParsePolicy("[]", Profile::kAggressive));
}

TEST(Overrides, ChangeOnlyTheirFieldsOnSelectedNodes) {
  const auto policy = ParsePolicy(std::string(kHead) + R"(
minimumAge: 2h
keep: {tags: [latest], lastPerRepository: 5}
overrides:
- nodeSelector: {pool: ci, size: big}
  policy: {keep: {lastPerRepository: 0}, dryRun: false}
- nodeSelector: {pool: ci}
  policy: {profile: Aggressive}
)");
  ASSERT_TRUE(policy) << policy.error().what;
  EXPECT_EQ(policy->OverrideFor({{"pool", "web"}}), nullptr);
  const Policy& big =
      *policy->OverrideFor({{"pool", "ci"}, {"size", "big"}, {"other", "x"}})->policy;
  EXPECT_EQ(big.keep.last_per_repository, 0);
  EXPECT_EQ(big.keep.tags, std::vector<std::string>{"latest"});
  EXPECT_EQ(big.minimum_age, std::chrono::hours(2));
  EXPECT_FALSE(big.dry_run);
  const Policy& ci = *policy->OverrideFor({{"pool", "ci"}})->policy;
  EXPECT_EQ(ci.keep.last_per_repository, 5) << "written in the document, so not the profile's";
  EXPECT_EQ(ci.maximum_age, std::chrono::hours(24)) << "the profile's";
  EXPECT_TRUE(ci.dry_run);
}

TEST(Overrides, ChangeNothingByAnEmptySection) {
  const auto policy = ParsePolicy(std::string(kHead) + R"(
keep: {images: [redis], tags: [latest]}
overrides:
- nodeSelector: {pool: ci}
  policy:
    dryRun: false
    keep:
#     tags: []
)");
  ASSERT_TRUE(policy) << policy.error().what;
  const Policy& ci = *policy->OverrideFor({{"pool", "ci"}})->policy;
  EXPECT_FALSE(ci.dry_run);
  EXPECT_EQ(ci.keep.tags, std::vector<std::string>{"latest"});
  ASSERT_EQ(ci.keep.images.size(), 1U);
  EXPECT_EQ(ci.keep.images.front().text(), "redis");
}

TEST(Overrides, ChangeOneFieldOfWorkloadsAndArchiveAndLeaveTheOthers) {
  const auto policy = ParsePolicy(std::string(kHead) + R"(
keep:
  workloads: {enabled: true, rollbackRevisions: 5}
  archive: {path: /var/lib/archive}
overrides:
- nodeSelector: {pool: ci}
  policy: {keep: {workloads: {cronJobs: false}, archive: {path: ""}}}
)");
  ASSERT_TRUE(policy) << policy.error().what;
  EXPECT_EQ(policy->keep.workloads, (KeepWorkloads{true, 5, true, true}));
  EXPECT_EQ(policy->keep.archive, (Archive{"/var/lib/archive", 10ULL << 30}));
  const Policy& ci = *policy->OverrideFor({{"pool", "ci"}})->policy;
  EXPECT_EQ(ci.keep.workloads, (KeepWorkloads{true, 5, true, false}));
  EXPECT_EQ(ci.keep.archive, (Archive{"", 10ULL << 30}));
}

TEST(Overrides, AreCheckedLikeTheWholeDocumentAllAtOnce) {
  const auto policy = ParsePolicy(std::string(kHead) + R"(
minimumAge: 200h
interval: 1s
overrides:
- nodeSelector: {pool: ci}
  policy:
    maximumAge: 100h
    keep: {imagse: []}
- nodeSelector: {}
  policy: {kind: Other, overrides: []}
- policy: {dryRun: false}
- nodeSelector: {"bad name": x, pool: "-"}
  policy: {}
)");
  ASSERT_FALSE(policy);
  const std::string& what = policy.error().what;
  EXPECT_THAT(what, HasSubstr("interval: Invalid value"));
  EXPECT_THAT(what, HasSubstr("overrides[0].policy: minimumAge: Invalid value: 200h: must be at "
                              "most maximumAge (100h)"));
  EXPECT_THAT(what, HasSubstr("overrides[0].policy: strict decoding error: unknown field "
                              "\"keep.imagse\""));
  EXPECT_THAT(what, HasSubstr("overrides[1].nodeSelector: Invalid value"));
  EXPECT_THAT(what, HasSubstr("overrides[1].policy.kind: Invalid value: \"Other\": cannot be "
                              "overridden"));
  EXPECT_THAT(what, HasSubstr("overrides[1].policy.overrides: Invalid value"));
  EXPECT_THAT(what, HasSubstr("overrides[2].nodeSelector: Required value"));
  EXPECT_THAT(what, HasSubstr("overrides[3].nodeSelector: Invalid value: \"bad name\""));
  EXPECT_THAT(what, HasSubstr("overrides[3].nodeSelector[pool]: Invalid value: \"-\""));
  EXPECT_THAT(what, HasSubstr("overrides[3].policy: Invalid value"));
  EXPECT_THAT(what, Not(HasSubstr("policy: kind")));
  EXPECT_THAT(what, Not(HasSubstr("policy: interval"))) << "said once, where it is";
}

TEST(Overrides, AFieldWrittenTwiceInOneIsAComplaint) {
  const auto policy = ParsePolicy(std::string(kHead) +
                                  "overrides:\n- nodeSelector: {pool: ci}\n  policy:\n    dryRun: "
                                  "true\n    dryRun: false\n");
  ASSERT_FALSE(policy);
  EXPECT_THAT(policy.error().what, AllOf(HasSubstr("overrides[0].policy"), HasSubstr("duplicate")));
}

TEST(Windows, NeedAStartAnEndAndATimeZoneThatExists) {
  const auto policy = ParsePolicy(std::string(kHead) + R"(
windows:
- {days: [Sat, Funday], start: "22:00", end: "04:00", timeZone: Europe/Berlin}
- {start: "24:01", end: 4, timeZone: Mars/Base}
- {days: [Mon]}
)");
  ASSERT_FALSE(policy);
  const std::string& what = policy.error().what;
  EXPECT_THAT(what, HasSubstr("windows[0].days[1]: Unsupported value: \"Funday\""));
  EXPECT_THAT(what, HasSubstr("windows[1].start: Invalid value"));
  EXPECT_THAT(what, HasSubstr("windows[1].end: Invalid value"));
  EXPECT_THAT(what, HasSubstr("windows[1].timeZone: Invalid value: \"Mars/Base\": must be a name "
                              "of the IANA time zone database"));
  EXPECT_THAT(what, HasSubstr("windows[2].start: Required value: Time at which the window starts"));
  EXPECT_THAT(what, HasSubstr("windows[2].end: Required value"));
}

}  // namespace
}  // namespace imagesweep
