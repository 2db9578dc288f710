#include "agent/gc/observe/image_builds.h"

#include <gmock/gmock.h>

#include "tests/support/images.h"

namespace imagesweep {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

TEST(StepsOf, AreTheInstructionsOfBothBuilders) {
  EXPECT_THAT(StepsOf({"/bin/sh -c #(nop) COPY dir:4f8e in /app ", "/bin/sh -c make install",
                       "COPY . /app # buildkit", "RUN /bin/sh -c pip install torch # buildkit",
                       "RUN pip install torch # buildkit"}),
              ElementsAre("COPY dir:4f8e in /app", "RUN make install", "COPY . /app",
                          "RUN pip install torch", "RUN pip install torch"));
}

TEST(StepsOf, HaveNoSettingsAndNoBuildArguments) {
  EXPECT_THAT(StepsOf({"ENV PASSWORD=secret", "ARG TOKEN=secret", "LABEL key=secret",
                       "/bin/sh -c #(nop) ENV PASSWORD=secret", "CMD [\"secret\"]",
                       "|1 TOKEN=secret /bin/sh -c make", "|1 TOKEN=secret make",
                       "RUN |2 TOKEN=secret B=a b /bin/sh -c make test # buildkit",
                       "RUN |1 TOKEN=secret /bin/bash -c make # buildkit"}),
              ElementsAre("RUN make", "RUN …", "RUN make test", "RUN …"));
}

TEST(StepsOf, AreTheLastOnesAndTheBeginningOfEach) {
  std::vector<std::string> many;
  for (int i = 0; i < 30; ++i) many.push_back("COPY " + std::to_string(i) + " /");
  const auto steps = StepsOf(many);
  EXPECT_THAT(steps, SizeIs(kMaxSteps));
  EXPECT_EQ(steps.back(), "COPY 29 /");
  // A character of two bytes at the end is not split.
  const auto longest = StepsOf({"RUN " + std::string(kMaxStepBytes - 5, 'x') + "éé"});
  EXPECT_THAT(longest, ElementsAre(EndsWith("x…")));
}

struct FakeBuilds final : BuildReader {
  Result<BuildFacts> ReadBuild(const Image& image, const std::stop_token&) override {
    asked.push_back(image.id.text());
    if (fails) return Error{ErrorKind::kUnavailable, "no answer"};
    return facts;
  }
  BuildFacts facts;
  std::vector<std::string> asked;
  bool fails = false;
};

struct ReadBuildsTest : testing::Test {
  ReadBuildsTest() {
    for (const char* name : {"pulled:1", "built:1", "kept:1"}) images.push_back(Img(name, {name}));
    images[ImagePos(0)].origin.kind = OriginKind::kPulled;
    images[ImagePos(1)].origin.kind = OriginKind::kUnknown;
    plan.removals = ImagesAt(0, 1);
  }
  Result<std::vector<ImageBuild>> Read() { return ReadBuilds(plan, images, reader, {}); }

  ByImage<Image> images;
  Plan plan;
  FakeBuilds reader;
};

TEST_F(ReadBuildsTest, ReadsOnlyRemovalsThatNoRegistryIsKnownToHave) {
  reader.facts = {{{"org.opencontainers.image.source", "https://git.example/shop"},
                   {"org.opencontainers.image.revision", "4f8e"},
                   {"com.docker.compose.project", "shop"},
                   {"com.docker.compose.service", "api"},
                   {"other", "label"}},
                  {"COPY . /app", "ENV A=b"}};
  const auto builds = Read();
  ASSERT_TRUE(builds);
  EXPECT_THAT(reader.asked, ElementsAre(images[ImagePos(1)].id.text()));
  ASSERT_THAT(*builds, SizeIs(1));
  const ImageBuild& build = builds->front();
  EXPECT_EQ(build.image, ImagePos(1));
  EXPECT_EQ(build.source, "https://git.example/shop");
  EXPECT_EQ(build.revision, "4f8e");
  EXPECT_EQ(build.compose_project, "shop");
  EXPECT_EQ(build.compose_service, "api");
  EXPECT_THAT(build.steps, ElementsAre("COPY . /app"));
}

TEST_F(ReadBuildsTest, LeavesOutImagesWithoutARecord) {
  reader.facts = {{{"other", "label"}}, {"bazel build"}};
  const auto builds = Read();
  ASSERT_TRUE(builds);
  EXPECT_THAT(*builds, IsEmpty());
}

TEST_F(ReadBuildsTest, IsAnErrorIfTheRuntimeDoesNotAnswer) {
  reader.fails = true;
  const auto builds = Read();
  ASSERT_FALSE(builds);
  EXPECT_THAT(builds.error().what, HasSubstr("no answer"));
}

}  // namespace
}  // namespace imagesweep
