#include "agent/runtime/cri/build_reader.h"

#include "tests/unit/runtime/cri/fixture.h"

namespace imagesweep::cri {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

class BuildReaderTest : public testing::TestWithParam<Flavour> {
 protected:
  Result<BuildFacts> ReadWith(const std::string& info) {
    FakeCri fake(GetParam());
    FakeImage image = FakeImage::From(Img("app", {"app:1"}));
    image.info = info;
    fake.AddImage(image);
    Client client(fake);
    const auto images = client.runtime.ListImages(client.never);
    EXPECT_TRUE(images);
    return CriBuildReader(client.connection).ReadBuild(images->front(), client.never);
  }
};

TEST_P(BuildReaderTest, ReadsLabelsAndHistory) {
  const auto facts = ReadWith(R"({"imageSpec": {
    "config": {"Labels": {"com.docker.compose.service": "api"}},
    "history": [{"created_by": "COPY . /app"}, {"created_by": "ENV A=b", "empty_layer": true}]}})");
  ASSERT_TRUE(facts) << facts.error().what;
  EXPECT_THAT(facts->labels, ElementsAre(Pair("com.docker.compose.service", "api")));
  EXPECT_THAT(facts->created_by, ElementsAre("COPY . /app", "ENV A=b"));
}

TEST_P(BuildReaderTest, HasNoFactsIfTheConfigHasNone) {
  for (const char* info : {R"({})", R"({"imageSpec": {"config": null, "history": [1]}})", "[]"}) {
    const auto facts = ReadWith(info);
    ASSERT_TRUE(facts) << info;
    EXPECT_THAT(facts->labels, IsEmpty()) << info;
    EXPECT_THAT(facts->created_by, IsEmpty()) << info;
  }
}

TEST_P(BuildReaderTest, NamesAnAnswerThatIsNotJson) {
  const auto facts = ReadWith("{");
  ASSERT_FALSE(facts);
  EXPECT_THAT(facts.error().what, HasSubstr("is not JSON"));
}

INSTANTIATE_TEST_SUITE_P(Runtimes, BuildReaderTest,
                         testing::Values(Flavour::kContainerd22, Flavour::kCrio130));

}  // namespace
}  // namespace imagesweep::cri
