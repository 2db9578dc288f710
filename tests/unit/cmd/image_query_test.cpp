#include "agent/cmd/image_query.h"

#include <gmock/gmock.h>

#include "tests/support/images.h"
#include "tests/support/report.h"

namespace imagesweep {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

// 0: app:2 in use, 1: app:1 removed, 2: idle:1 kept.
Report Sample() {
  Report report = SampleReport();
  report.observation.images[ImagePos(0)].tags.push_back(ImageName::Parse("quay.io/team/app:2"));
  MakeLocal(report.observation.images[ImagePos(2)]);
  return report;
}

std::vector<ImagePos> Filtered(const Report& report, std::vector<std::string> filters) {
  for (const std::string& filter : filters) EXPECT_EQ(WhyNotFilter(filter), "");
  return FilterImages(report, ImagesAt(0, 1, 2), filters);
}

TEST(ImageFilter, SelectsByEachKey) {
  const Report report = Sample();
  EXPECT_EQ(Filtered(report, {}), ImagesAt(0, 1, 2));
  EXPECT_EQ(Filtered(report, {"verdict=Remove"}), ImagesAt(1));
  EXPECT_EQ(Filtered(report, {"code=Idle"}), ImagesAt(2));
  EXPECT_EQ(Filtered(report, {"origin=Local"}), ImagesAt(2));
  EXPECT_EQ(Filtered(report, {"in-use=true"}), ImagesAt(0));
  EXPECT_EQ(Filtered(report, {"in-use=false"}), ImagesAt(1, 2));
  EXPECT_EQ(Filtered(report, {"repository=app"}), ImagesAt(0, 1));
  EXPECT_EQ(Filtered(report, {"repository=quay.io/**"}), ImagesAt(0));
}

TEST(ImageFilter, NeedsEachKeyAndOneValueOfIt) {
  const Report report = Sample();
  EXPECT_EQ(Filtered(report, {"verdict=Remove", "verdict=Keep"}), ImagesAt(0, 1, 2));
  EXPECT_EQ(Filtered(report, {"verdict=Keep", "in-use=false"}), ImagesAt(2));
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
  EXPECT_EQ(named("app"), ImagesAt(0, 1)) << "every tag, as in a policy";
  EXPECT_EQ(named("app:2"), ImagesAt(0));
  EXPECT_EQ(named("docker.io/**"), ImagesAt(0, 1, 2));
  EXPECT_EQ(named("idle:*"), ImagesAt(2));
  EXPECT_EQ(named(Id("r")), ImagesAt(1));
  EXPECT_EQ(named(Id("r").substr(7, 12)), ImagesAt(1));
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
  ages[ImagePos(0)].unused_for = Millis(1);
  ages[ImagePos(1)].unused_for = ages[ImagePos(2)].unused_for = Millis(5);
  ages[ImagePos(0)].last_used = day;
  ages[ImagePos(1)].last_used.reset();
  ages[ImagePos(2)].last_used = day - std::chrono::hours(1);
  const auto sorted = [&](const char* key, bool reverse = false) {
    return SortImages(report, ImagesAt(0, 1, 2), key, reverse);
  };
  EXPECT_EQ(sorted("name"), ImagesAt(1, 0, 2));
  EXPECT_EQ(sorted("-name"), ImagesAt(2, 0, 1));
  EXPECT_EQ(sorted("name", true), ImagesAt(2, 0, 1));
  EXPECT_EQ(sorted("size"), ImagesAt(0, 1, 2));
  EXPECT_EQ(sorted("-size"), ImagesAt(2, 1, 0));
  EXPECT_EQ(sorted("-size", true), ImagesAt(0, 1, 2));
  EXPECT_EQ(sorted("age"), ImagesAt(0, 1, 2));
  EXPECT_EQ(sorted("-age"), ImagesAt(1, 2, 0)) << "equal ages by name";
  EXPECT_EQ(sorted("last-used"), ImagesAt(1, 2, 0)) << "never seen in use: first";
  EXPECT_EQ(sorted("last-used", true), ImagesAt(0, 2, 1));
}

}  // namespace
}  // namespace imagesweep
