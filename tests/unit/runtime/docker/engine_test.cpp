#include "agent/runtime/docker/engine.h"

#include <gmock/gmock.h>

#include "tests/unit/runtime/docker/recorded.h"

namespace imagesweep::docker {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;
using ::testing::StartsWith;
using Kind = EngineEvent::Kind;

const std::string kVersion = R"({"Version":"20.10.24"})";

// The error of a parser, or a text that no error has.
template <typename T>
std::string ErrorText(const Result<T>& result) {
  if (result) return "no error";
  EXPECT_EQ(result.error().kind, ErrorKind::kIncomplete);
  return result.error().what;
}

const ListedImage* Tagged(const std::vector<ListedImage>& images, const std::string& tag) {
  for (const auto& image : images) {
    for (const auto& name : image.tags) {
      if (name == tag) return &image;
    }
  }
  return nullptr;
}

const ListedContainer* Named(const std::vector<ListedContainer>& containers,
                             const std::string& name) {
  for (const auto& container : containers) {
    if (container.name == name) return &container;
  }
  return nullptr;
}

TEST(ParseInfo, ReadsDockersOwnStore) {
  const auto info =
      ParseInfo(RecordedBody(kRecorded20, "version"), RecordedBody(kRecorded20, "info"));
  ASSERT_TRUE(info) << info.error().what;
  EXPECT_EQ(info->version, "20.10.24+dfsg1");
  EXPECT_THAT(info->id, StartsWith("O7DB:"));
  EXPECT_EQ(info->driver, "overlay2");
  EXPECT_EQ(info->root, "/lab/root");
  EXPECT_FALSE(info->containerd_store);
  EXPECT_FALSE(info->swarm);
}

TEST(ParseInfo, ReadsTheStoreOfContainerd) {
  const auto info =
      ParseInfo(RecordedBody(kRecorded29, "version"), RecordedBody(kRecorded29, "info"));
  ASSERT_TRUE(info) << info.error().what;
  EXPECT_THAT(info->version, StartsWith("29."));
  EXPECT_TRUE(info->containerd_store);
  EXPECT_THAT(info->containerd_address, HasSubstr("containerd.sock"));
  EXPECT_EQ(info->containerd_namespace, "moby");
}

TEST(ParseInfo, TellsAMemberOfASwarm) {
  for (const auto& [state, member] :
       {std::pair{"active", true}, {"locked", true}, {"inactive", false}, {"", false}}) {
    const auto info = ParseInfo(
        kVersion, R"({"ID":"a","Driver":"d","DockerRootDir":"/r","Swarm":{"LocalNodeState":")" +
                      std::string(state) + "\"}}");
    ASSERT_TRUE(info) << info.error().what;
    EXPECT_EQ(info->swarm, member) << state;
  }
}

TEST(ParseInfo, NamesWhatIsMissing) {
  EXPECT_THAT(ErrorText(ParseInfo("{}", "{}")), AllOf(HasSubstr("/version"), HasSubstr("Version")));
  EXPECT_THAT(ErrorText(ParseInfo(kVersion, R"({"Driver":"d","DockerRootDir":"/r"})")),
              AllOf(HasSubstr("/info"), HasSubstr("ID")));
  EXPECT_THAT(ErrorText(ParseInfo(kVersion, R"({"ID":"a","Driver":"d"})")),
              HasSubstr("DockerRootDir"));
  EXPECT_THAT(ErrorText(ParseInfo(
                  kVersion, R"({"ID":"a","Driver":"d","DockerRootDir":"/r","DriverStatus":1})")),
              HasSubstr("DriverStatus"));
}

TEST(ParseImages, ReadsDockersOwnStore) {
  const auto images = ParseImages(RecordedBody(kRecorded20, "images"));
  ASSERT_TRUE(images) << images.error().what;
  const auto* built = Tagged(*images, "built:v1");
  ASSERT_NE(built, nullptr);
  EXPECT_THAT(built->tags, ::testing::UnorderedElementsAre("also-built:v2", "built:v1"));
  EXPECT_THAT(built->digests, IsEmpty());
  EXPECT_EQ(built->size, 682697u);
  EXPECT_FALSE(built->shared_size);
  EXPECT_THAT(built->labels, ElementsAre(Pair("team", "a")));
  const auto* pulled = Tagged(*images, "127.0.0.1:5000/team/app:v1");
  ASSERT_NE(pulled, nullptr);
  EXPECT_THAT(pulled->digests,
              ::testing::Contains(StartsWith("127.0.0.1:5000/team/app@sha256:48f0")));
}

TEST(ParseImages, ADanglingImageHasNoNames) {
  for (const auto* file : {kRecorded20, kRecorded29}) {
    const auto images = ParseImages(RecordedBody(file, "images-dangling"));
    ASSERT_TRUE(images) << images.error().what;
    EXPECT_THAT(*images, ::testing::Not(IsEmpty()));
    for (const auto& image : *images) EXPECT_THAT(image.tags, IsEmpty()) << file << image.id;
  }
}

TEST(ParseImages, ReadsTheStoreOfContainerd) {
  const auto images = ParseImages(RecordedBody(kRecorded29, "images"));
  ASSERT_TRUE(images) << images.error().what;
  const auto* built = Tagged(*images, "built:v1");
  ASSERT_NE(built, nullptr);
  EXPECT_THAT(built->digests, SizeIs(1));
  EXPECT_GT(built->size, 1'000'000u);
}

TEST(ParseImages, ReadsSharedSizes) {
  const auto images =
      ParseImages(R"([{"Id":"sha256:a","Size":7,"SharedSize":3},{"Id":"sha256:b","Size":7}])");
  ASSERT_TRUE(images) << images.error().what;
  EXPECT_EQ((*images)[0].shared_size, 3u);
  EXPECT_FALSE((*images)[1].shared_size);
}

TEST(ParseImages, NamesWhatDecidesAndIsMissing) {
  EXPECT_THAT(ErrorText(ParseImages(R"([{"Size":7}])")), HasSubstr("Id is missing"));
  EXPECT_THAT(ErrorText(ParseImages(R"([{"Id":"sha256:a"}])")),
              AllOf(HasSubstr("sha256:a"), HasSubstr("Size")));
  EXPECT_THAT(ErrorText(ParseImages(R"([{"Id":"sha256:a","Size":-1}])")), HasSubstr("Size"));
  EXPECT_THAT(ErrorText(ParseImages(R"([{"Id":"a","Size":1,"RepoTags":"x"}])")),
              HasSubstr("RepoTags"));
  EXPECT_THAT(ErrorText(ParseImages(R"([{"Id":"a","Size":1,"RepoTags":[7]}])")),
              HasSubstr("RepoTags"));
  EXPECT_THAT(ErrorText(ParseImages(R"([{"Id":7,"Size":1}])")), HasSubstr("Id"));
  EXPECT_THAT(ErrorText(ParseImages(R"([{"Id":"a","Size":18446744073709551615}])")),
              HasSubstr("Size"));
  EXPECT_THAT(ErrorText(ParseImages("[null]")), HasSubstr("not an object"));
  EXPECT_THAT(ErrorText(ParseImages("{}")), HasSubstr("not a list"));
  EXPECT_THAT(ErrorText(ParseImages("null")), HasSubstr("not a list"));
}

TEST(ParseImages, RefusesJsonWithTwoReadings) {
  EXPECT_THAT(ErrorText(ParseImages(R"([{"Id":"a","Id":"b","Size":1}])")), HasSubstr("twice"));
  EXPECT_THAT(ErrorText(ParseImages("[{\"Id\":\"\xff\",\"Size\":1}]")), HasSubstr("JSON"));
  EXPECT_THAT(ErrorText(ParseImages(R"([{"Id":"a","Size":1}])"
                                    "garbage")),
              HasSubstr("JSON"));
  for (const char* cut : {"", "[", R"([{"Id":"a","Size":1})", R"([{"Id":"a)"}) {
    EXPECT_THAT(ErrorText(ParseImages(cut)), HasSubstr("JSON")) << cut;
  }
}

TEST(ParseImages, RefusesHostileSizes) {
  const std::string deep = std::string(1'000'000, '[') + std::string(1'000'000, ']');
  EXPECT_THAT(ErrorText(ParseImages(deep)), HasSubstr("nested too deeply"));
  EXPECT_THAT(ErrorText(ParseImages(R"([{"Id":"a","Size":1,"Unknown":)" + deep + "}]")),
              HasSubstr("nested too deeply"));
  std::string members = R"([{"Id":"a","Size":1)";
  for (int i = 0; i < 20'000; ++i) members += ",\"m" + std::to_string(i) + "\":1";
  EXPECT_THAT(ErrorText(ParseImages(members + "}]")), HasSubstr("too many members"));
}

TEST(ParseContainers, ReadsEveryState) {
  for (const auto* file : {kRecorded20, kRecorded29}) {
    const auto containers = ParseContainers(RecordedBody(file, "containers"));
    ASSERT_TRUE(containers) << containers.error().what;
    for (const auto& [name, state] :
         {std::pair{"running", "running"}, {"created", "created"}, {"exited", "exited"}}) {
      const auto* container = Named(*containers, name);
      ASSERT_NE(container, nullptr) << file << name;
      EXPECT_EQ(container->state, state);
      EXPECT_THAT(container->id, SizeIs(64));
      EXPECT_THAT(container->image_id, StartsWith("sha256:"));
    }
    EXPECT_EQ(Named(*containers, "created")->image, "loaded:v1");
    const auto* moved = Named(*containers, "by-moved-tag");
    ASSERT_NE(moved, nullptr);
    EXPECT_EQ(moved->image, moved->image_id);
  }
}

TEST(ParseContainers, KeepsLabelsOfKubernetesAndComposeOnly) {
  const auto containers = ParseContainers(RecordedBody(kRecorded20, "containers"));
  ASSERT_TRUE(containers) << containers.error().what;
  const auto* of_compose = Named(*containers, "by-pulled-tag");
  ASSERT_NE(of_compose, nullptr);
  EXPECT_THAT(of_compose->labels, ElementsAre(Pair("com.docker.compose.project", "shop"),
                                              Pair("com.docker.compose.service", "web")));
}

TEST(ParseContainers, ReadsWhatAMountNames) {
  const auto containers = ParseContainers(RecordedBody(kRecorded29, "containers"));
  ASSERT_TRUE(containers) << containers.error().what;
  const auto* mounting = Named(*containers, "mounts-an-image");
  ASSERT_NE(mounting, nullptr);
  EXPECT_THAT(mounting->mounted_images, ElementsAre("mounted:v1"));
}

TEST(ParseContainers, NamesWhatDecidesAndIsMissing) {
  const auto with = [](const std::string& rest) {
    return ParseContainers(R"([{"Id":"abc","State":"running")" + rest + "}]");
  };
  EXPECT_THAT(ErrorText(with("")), AllOf(HasSubstr("abc"), HasSubstr("ImageID")));
  EXPECT_THAT(ErrorText(with(R"(,"ImageID":"")")), HasSubstr("ImageID"));
  EXPECT_THAT(ErrorText(with(R"(,"Image":"a:1","ImageID":"")")), HasSubstr("ImageID"));
  EXPECT_TRUE(with(R"(,"Image":"","ImageID":"")")) << "a container without an image";
  EXPECT_THAT(ErrorText(with(R"(,"ImageID":["sha256:a"])")), HasSubstr("ImageID"));
  EXPECT_THAT(ErrorText(with(R"(,"ImageID":"sha256:a","Mounts":[{"Type":"image"}])")),
              HasSubstr("Name"));
  EXPECT_THAT(ErrorText(with(R"(,"ImageID":"sha256:a","Mounts":{})")), HasSubstr("Mounts"));
  EXPECT_THAT(ErrorText(ParseContainers(R"([{"Id":"a","ImageID":"sha256:a"}])")),
              HasSubstr("State"));
  EXPECT_TRUE(with(R"(,"ImageID":"sha256:a","Mounts":null,"Labels":null,"Names":null)"));
}

TEST(ParseImage, ReadsLayersAndLabels) {
  const auto image = ParseImage(RecordedBody(kRecorded20, "image-built"));
  ASSERT_TRUE(image) << image.error().what;
  EXPECT_THAT(image->id, StartsWith("sha256:"));
  EXPECT_THAT(image->tags, ElementsAre("also-built:v2", "built:v1"));
  EXPECT_THAT(image->diff_ids, ElementsAre(StartsWith("sha256:")));
  EXPECT_THAT(image->labels, ElementsAre(Pair("team", "a")));
  EXPECT_THAT(image->pulled_from, IsEmpty());
  EXPECT_FALSE(image->built_here);
}

TEST(ParseImage, ReadsWhereAnImageComesFrom) {
  const auto pulled = ParseImage(RecordedBody(kRecorded29, "image-retagged-pulled"));
  ASSERT_TRUE(pulled) << pulled.error().what;
  EXPECT_THAT(pulled->pulled_from, ElementsAre("127.0.0.1/team/app"));
  EXPECT_FALSE(pulled->built_here);
  const auto built = ParseImage(RecordedBody(kRecorded29, "image-built-by-buildkit"));
  ASSERT_TRUE(built) << built.error().what;
  EXPECT_THAT(built->pulled_from, IsEmpty());
  EXPECT_TRUE(built->built_here);
  const auto loaded = ParseImage(RecordedBody(kRecorded29, "image-loaded"));
  ASSERT_TRUE(loaded) << loaded.error().what;
  EXPECT_THAT(loaded->digests, SizeIs(2));
  EXPECT_THAT(loaded->pulled_from, IsEmpty());
  EXPECT_FALSE(loaded->built_here);
}

TEST(ParseImage, NamesWhatIsWrong) {
  EXPECT_THAT(ErrorText(ParseImage("{}")), HasSubstr("Id"));
  EXPECT_THAT(ErrorText(ParseImage(R"({"Id":"a","RootFS":{"Layers":[1]}})")), HasSubstr("Layers"));
  EXPECT_THAT(ErrorText(ParseImage(R"({"Id":"a","Config":{"Labels":{"a":1}}})")),
              HasSubstr("Labels"));
  EXPECT_THAT(ErrorText(ParseImage(R"({"Id":"a","Identity":{"Pull":[{}]}})")),
              HasSubstr("Repository"));
}

std::vector<EngineEvent> RecordedEvents(const char* file) {
  std::vector<EngineEvent> events;
  const auto answer = RecordedAnswer(file, "events");
  for (const auto& line : answer["stream"]) {
    auto event = ParseEvent(line.dump());
    EXPECT_TRUE(event) << line;
    if (event && event->kind != Kind::kOther) events.push_back(*event);
  }
  return events;
}

TEST(ParseEvent, ReadsWhatComesAndWhatIsUsed) {
  for (const auto* file : {kRecorded20, kRecorded29}) {
    const auto events = RecordedEvents(file);
    std::vector<Kind> kinds;
    for (const auto& event : events) {
      EXPECT_GT(event.time_nano, 1'700'000'000'000'000'000) << file;
      // Docker 29 alone tells of the creation of a built image.
      if (event.kind == Kind::kImageLoaded && !kinds.empty() &&
          kinds.back() == Kind::kContainerCreated) {
        continue;
      }
      kinds.push_back(event.kind);
    }
    EXPECT_THAT(kinds, ElementsAre(Kind::kImagePulled, Kind::kImageTagged, Kind::kImageLoaded,
                                   Kind::kContainerCreated, Kind::kImageTagged,
                                   Kind::kContainerCreated, Kind::kContainerStarted))
        << file;
    EXPECT_EQ(events[0].image, "127.0.0.1:5000/team/events:v1");
    EXPECT_EQ(events[1].image, "mirror.example/events:v1");
    EXPECT_THAT(events[1].id, StartsWith("sha256:"));
    EXPECT_EQ(events[2].image, events[2].id);
    EXPECT_EQ(events.back().image, "127.0.0.1:5000/team/events:v1");
    EXPECT_THAT(events.back().id, SizeIs(64));
  }
}

TEST(ParseHistory, HasTheFirstStepFirst) {
  for (const auto* file : {kRecorded20, kRecorded29}) {
    const auto steps = ParseHistory(RecordedBody(file, "history-built"));
    ASSERT_TRUE(steps) << steps.error().what;
    EXPECT_THAT(*steps, ElementsAre(HasSubstr("COPY multi:"), HasSubstr("ENTRYPOINT"),
                                    HasSubstr("LABEL team=a")))
        << file;
  }
}

TEST(ParseHistory, NamesWhatCannotBeRead) {
  EXPECT_THAT(ErrorText(ParseHistory("{}")), HasSubstr("not a list"));
  EXPECT_THAT(ErrorText(ParseHistory(R"([{"CreatedBy":1}])")), HasSubstr("CreatedBy"));
}

TEST(ParseEvent, NamesWhatIsMissing) {
  EXPECT_THAT(ErrorText(ParseEvent(R"({"Type":"container"})")), HasSubstr("Action"));
  EXPECT_THAT(ErrorText(ParseEvent(R"({"Type":"container","Action":"start"})")), HasSubstr("ID"));
  EXPECT_THAT(ErrorText(ParseEvent(R"({"Type":"container","Action":"start","Actor":{"ID":"a"}})")),
              HasSubstr("image"));
  EXPECT_THAT(ErrorText(ParseEvent("{")), HasSubstr("JSON"));
  EXPECT_TRUE(ParseEvent(R"({"Type":"network","Action":"connect","New":[1]})"));
}

TEST(ErrorOfProgress, IsEmptyAfterASuccess) {
  for (const auto* file : {kRecorded20, kRecorded29}) {
    for (const auto* key : {"load", "load-two-names", "pull", "pull-again"}) {
      EXPECT_EQ(ErrorOfProgress(RecordedBody(file, key)), "") << file << key;
    }
  }
}

TEST(ErrorOfProgress, IsTheMessageOfAFailure) {
  EXPECT_EQ(ErrorOfProgress(RecordedBody(kRecorded20, "load-garbage")),
            "Error processing tar file(exit status 1): unexpected EOF");
  EXPECT_EQ(ErrorOfProgress(RecordedBody(kRecorded29, "load-garbage")), "unexpected EOF");
  EXPECT_EQ(ErrorOfProgress("{\"status\":\"a\"}\r\n{\"error\":\"b\"}\r\n{\"status\":\"c\"}"), "b");
  EXPECT_EQ(ErrorOfProgress("{\"errorDetail\":{}}"), "an error without a message");
}

}  // namespace
}  // namespace imagesweep::docker
