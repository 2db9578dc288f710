#include "agent/cmd/image_query.h"

#include <gmock/gmock.h>

#include "tests/support/images.h"
#include "tests/support/report.h"

namespace imagesweep {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// 0: app:2 in use, 1: app:1 removed, 2: idle:1 kept.
Report Sample() {
  Report report = SampleReport();
  report.observation.images[0].tags.push_back(ImageName::Parse("quay.io/team/app:2"));
  MakeLocal(report.observation.images[2]);
  return report;
}

std::vector<std::uint32_t> Filtered(const Report& report, std::vector<std::string> filters) {
  for (const std::string& filter : filters) EXPECT_EQ(WhyNotFilter(filter), "");
  return FilterImages(report, {0, 1, 2}, filters);
}

TEST(ImageFilter, SelectsByEachKey) {
  const Report report = Sample();
  EXPECT_THAT(Filtered(report, {}), ElementsAre(0, 1, 2));
  EXPECT_THAT(Filtered(report, {"verdict=Remove"}), ElementsAre(1));
  EXPECT_THAT(Filtered(report, {"code=Idle"}), ElementsAre(2));
  EXPECT_THAT(Filtered(report, {"origin=Local"}), ElementsAre(2));
  EXPECT_THAT(Filtered(report, {"in-use=true"}), ElementsAre(0));
  EXPECT_THAT(Filtered(report, {"in-use=false"}), ElementsAre(1, 2));
  EXPECT_THAT(Filtered(report, {"repository=app"}), ElementsAre(0, 1));
  EXPECT_THAT(Filtered(report, {"repository=quay.io/**"}), ElementsAre(0));
}

TEST(ImageFilter, NeedsEachKeyAndOneValueOfIt) {
  const Report report = Sample();
  EXPECT_THAT(Filtered(report, {"verdict=Remove", "verdict=Keep"}), ElementsAre(0, 1, 2));
  EXPECT_THAT(Filtered(report, {"verdict=Keep", "in-use=false"}), ElementsAre(2));
  EXPECT_THAT(Filtered(report, {"verdict=Remove", "in-use=true"}), IsEmpty());
}

TEST(ImageFilter, ListsValidKeysInAnError) {
  const std::pair<const char*, const char*> cases[] = {
      {"verdit=Keep",
       "unknown key \"verdit\"; valid keys are verdict, code, origin, repository, "
       "in-use"},
      {"Remove", "\"Remove\" is not KEY=VALUE; valid keys are verdict, code, "},
      {"verdict=remove", "invalid value \"remove\" of verdict; valid values are Keep, Remove, "},
      {"verdict=", "valid values are Keep, Remove, Defer"},
      {"code=Old", "valid values are InUse, Pinned, "},
      {"in-use=yes", "valid values are true, false"},
      {"origin=x", "valid values are Unknown, Local, Pulled, Registry"},
      {"repository=app:1", "a repository has no tag and no digest"},
      {"repository=Shop/api", "did you mean \"shop/api\"?"},
  };
  for (const auto& [filter, says] : cases) EXPECT_THAT(WhyNotFilter(filter), HasSubstr(says));
}

TEST(ImageFilter, CompletionOffersOnlyValidFilters) {
  EXPECT_THAT(FilterChoices(), testing::IsSupersetOf({"verdict=Remove", "code=NoGain",
                                                      "origin=Registry", "in-use=false"}));
  for (const std::string& choice : FilterChoices()) EXPECT_EQ(WhyNotFilter(choice), "");
}

TEST(ImagesNamed, AcceptsPatternsNamesAndIds) {
  const Report report = Sample();
  const auto named = [&](const std::string& name) {
    return *ImagesNamed(report.observation.images, name);
  };
  EXPECT_THAT(named("app"), ElementsAre(0, 1)) << "every tag, as in a policy";
  EXPECT_THAT(named("app:2"), ElementsAre(0));
  EXPECT_THAT(named("docker.io/**"), ElementsAre(0, 1, 2));
  EXPECT_THAT(named("idle:*"), ElementsAre(2));
  EXPECT_THAT(named(Id("r")), ElementsAre(1));
  EXPECT_THAT(named(Id("r").substr(7, 12)), ElementsAre(1));
  EXPECT_THAT(named("none"), IsEmpty());
  EXPECT_THAT(named("none/*"), IsEmpty());
  EXPECT_THAT(named("0123456789abcdef"), IsEmpty()) << "an ID that is ambiguous as a pattern";
}

TEST(ImagesNamed, RejectAPatternThatCannotMatch) {
  const auto named = ImagesNamed(Sample().observation.images, "ghcr.io");
  ASSERT_FALSE(named);
  EXPECT_EQ(named.error().kind, ErrorKind::kInvalid);
  EXPECT_THAT(named.error().what, HasSubstr("invalid image \"ghcr.io\": "));
  EXPECT_THAT(named.error().what, HasSubstr("did you mean \"ghcr.io/**\""));
}

TEST(SortImages, SortsByEachKeyInBothDirections) {
  Report report = Sample();  // names: app:1 (1), app:2 (0), idle:1 (2)
  auto& ages = report.observation.ages;
  const SystemTime day = report.observation.at;
  ages[0].unused_for = Millis(1);
  ages[1].unused_for = ages[2].unused_for = Millis(5);
  ages[0].last_used = day;
  ages[1].last_used.reset();
  ages[2].last_used = day - std::chrono::hours(1);
  const auto sorted = [&](const char* key, bool reverse = false) {
    return SortImages(report, {0, 1, 2}, key, reverse);
  };
  EXPECT_THAT(sorted("name"), ElementsAre(1, 0, 2));
  EXPECT_THAT(sorted("-name"), ElementsAre(2, 0, 1));
  EXPECT_THAT(sorted("name", true), ElementsAre(2, 0, 1));
  EXPECT_THAT(sorted("size"), ElementsAre(0, 1, 2));
  EXPECT_THAT(sorted("-size"), ElementsAre(2, 1, 0));
  EXPECT_THAT(sorted("-size", true), ElementsAre(0, 1, 2));
  EXPECT_THAT(sorted("age"), ElementsAre(0, 1, 2));
  EXPECT_THAT(sorted("-age"), ElementsAre(1, 2, 0)) << "equal ages by name";
  EXPECT_THAT(sorted("last-used"), ElementsAre(1, 2, 0)) << "never seen in use: first";
  EXPECT_THAT(sorted("last-used", true), ElementsAre(0, 2, 1));
}

}  // namespace
}  // namespace imagesweep
