#include "agent/server/web/query.h"
#include "agent/base/codec.h"

#include <gmock/gmock.h>

#include "agent/server/web/html.h"
#include "agent/server/web/select.h"
#include "tests/unit/server/web/view.h"

namespace imagesweep::web {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

TEST(Query, ReadsFormsAndToleratesMalformedQueries) {
  EXPECT_THAT(ParseQuery("a=1&b=x+y%21"), ElementsAre(Pair("a", "1"), Pair("b", "x y!")));
  EXPECT_THAT(ParseQuery("a=1&a=2"), ElementsAre(Pair("a", "1")));
  EXPECT_THAT(ParseQuery("a&&=&b=c=d"), ElementsAre(Pair("", ""), Pair("a", ""), Pair("b", "c=d")));
  EXPECT_THAT(ParseQuery("a=%&b=%4&c=%zz&d=%00"),
              ElementsAre(Pair("a", "%"), Pair("b", "%4"), Pair("c", "%zz"),
                          Pair("d", std::string(1, '\0'))));
  EXPECT_THAT(ParseQuery(""), IsEmpty());
}

TEST(Query, UsesDefaultsForUnknownValues) {
  for (const char* text : {"", "verdict=Everything&sort=colour&order=sideways", "nonsense", "&&&="})
    EXPECT_EQ(ImageQueryOf(text), ImageQuery()) << text;
  EXPECT_EQ(ImageQueryOf("q=" + std::string(5000, 'a')).search.size(), 200U);
}

TEST(Query, RoundTripsQueries) {
  for (const SortBy by : {SortBy::kVerdict, SortBy::kName, SortBy::kCode, SortBy::kReason,
                          SortBy::kAge, SortBy::kLastUse, SortBy::kSize})
    for (const auto& search : HostileTexts()) {
      const ImageQuery query{search, Verdict::kRemove, by, true};
      EXPECT_EQ(ImageQueryOf(ToQuery(query)), query);
    }
}

struct SelectTest : testing::Test {
  std::vector<std::string> Names(const std::string& query) const {
    std::vector<std::string> names;
    for (const auto at : SelectImages(report, ImageQueryOf(query)))
      names.emplace_back(report.observation.images[at].tags[0].short_path());
    return names;
  }
  SelectTest() {
    auto& ages = report.observation.ages;
    ages[ImagePos(0)].unused_for = Millis(0);
    ages[ImagePos(1)].unused_for = std::chrono::hours(1);
    ages[ImagePos(2)].unused_for = std::chrono::hours(2);
    ages[ImagePos(2)].last_used = report.observation.at - std::chrono::hours(2);
  }
  Report report = SampleReport();  // app:2 in use, app:1 to remove, idle:1 kept
};

TEST_F(SelectTest, Sorts) {
  const std::pair<const char*, std::vector<std::string>> cases[] = {
      {"", {"app", "app", "idle"}},
      {"sort=size", {"app", "app", "idle"}},
      {"sort=size&order=desc", {"idle", "app", "app"}},
      {"sort=name&order=desc", {"idle", "app", "app"}},
      {"sort=age", {"app", "app", "idle"}},
      {"sort=lastUse", {"app", "idle", "app"}},  // in use, two hours ago, never seen
      {"sort=code", {"app", "idle", "app"}},     // Age, Idle, InUse
      {"sort=reason", {"idle", "app", "app"}},
  };
  for (const auto& [query, names] : cases) EXPECT_EQ(Names(query), names) << query;
  EXPECT_EQ(SelectImages(report, ImageQueryOf("sort=verdict")), ImagesAt(1, 0, 2))
      << "what goes comes first";
  EXPECT_EQ(SelectImages(report, ImageQueryOf("sort=code")), ImagesAt(1, 2, 0));
}

TEST_F(SelectTest, FindsByImagePodReasonAndVerdict) {
  const std::pair<const char*, std::vector<ImagePos>> cases[] = {
      {"q=IDLE", ImagesAt(2)},
      {"q=shop/api", ImagesAt(0)},
      {"q=too+old", ImagesAt(1)},
      {"q=old+app", ImagesAt(1)},
      {"q=old+idle", {}},
      {"q=InUse", ImagesAt(0)},
      {"verdict=Remove", ImagesAt(1)},
      {"verdict=Keep&q=app", ImagesAt(0)},
      {"verdict=Defer", {}},
      {"q=%20+%20", ImagesAt(1, 0, 2)},
  };
  for (const auto& [query, found] : cases)
    EXPECT_EQ(SelectImages(report, ImageQueryOf(query)), found) << query;
}

TEST_F(SelectTest, FindsOneImageByIdOrName) {
  const auto id = report.observation.images[ImagePos(1)].id.text();
  const std::pair<std::string, std::vector<ImagePos>> cases[] = {
      {"id=" + UrlEncoded(id), ImagesAt(1)},
      {"id=" + id.substr(7, 12), ImagesAt(1)},
      {"id=" + std::string(ShortId(report.observation.images[ImagePos(2)])), ImagesAt(2)},
      {"id=", {}},
      {"id=sha256", ImagesAt(0, 1, 2)},
      {"id=ffff", {}},
      {"name=app:1", ImagesAt(1)},
      {"name=docker.io/library/idle:1", ImagesAt(2)},
      {"name=nothing", {}},
      {"", {}},
  };
  for (const auto& [query, found] : cases) EXPECT_EQ(FindImages(report, query), found) << query;
}

}  // namespace
}  // namespace imagesweep::web
