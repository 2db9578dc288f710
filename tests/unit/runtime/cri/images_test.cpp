#include "tests/unit/runtime/cri/fixture.h"

namespace imagesweep::cri {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class ImagesTest : public testing::Test {
 protected:
  void Node(const std::function<void(FakeNode&)>& edit) { fake_.Edit(edit); }

  FakeCri fake_;
  Client client_{fake_};
  Runtime& runtime_ = client_.runtime;
  const std::stop_token never_{};
};

TEST_F(ImagesTest, ListsEverythingAsTheRuntimeGivesIt) {
  FakeImage kata = FakeImage::From(Img("b", {"quay.io/b:2"}, 7));
  kata.pinned = true;
  kata.runtime_handler = "kata";
  fake_.AddImage(FakeImage::From(Img("a", {"nginx:1"}, 5)));
  fake_.AddImage(kata);

  const auto images = runtime_.ListImages(never_);

  ASSERT_TRUE(images) << images.error().what;
  EXPECT_THAT(Ids(*images), ElementsAre(Id("a"), Id("b")));
  EXPECT_THAT(images->at(0).tags, ElementsAre(ImageName::Parse("docker.io/library/nginx:1")));
  EXPECT_EQ(images->at(0).digests.size(), 1u);
  EXPECT_EQ(images->at(0).size_bytes, 5u);
  EXPECT_FALSE(images->at(0).pinned);
  EXPECT_TRUE(images->at(1).pinned);
  EXPECT_EQ(images->at(1).runtime_handler, "kata");
  EXPECT_THAT(fake_.Arguments("ListImages"), ElementsAre(""));  // no filter
}

// C08
TEST_F(ImagesTest, AListThatFailsAsAWholeGivesNoImages) {
  fake_.AddImage(FakeImage::From(Img("a", {"nginx:1"})));
  fake_.Set("ListImages",
            {.code = grpc::StatusCode::UNKNOWN, .message = "locating item named manifest"});
  const auto images = runtime_.ListImages(never_);
  ASSERT_FALSE(images);
  EXPECT_EQ(images.error().kind, ErrorKind::kInternal);
  EXPECT_THAT(images.error().what, HasSubstr("ListImages: UNKNOWN: locating item"));
  fake_.ClearFaults();
  EXPECT_TRUE(runtime_.ListImages(never_));
}

// C08
TEST_F(ImagesTest, AnImageOfSizeZeroAndWithoutNamesIsListed) {
  Node([](FakeNode& node) { node.images = {{.id = Id("bare"), .size = 0}}; });
  const auto images = runtime_.ListImages(never_);
  ASSERT_TRUE(images) << images.error().what;
  ASSERT_EQ(images->size(), 1u);
  EXPECT_EQ(images->front().size_bytes, 0u);
  EXPECT_THAT(images->front().tags, IsEmpty());
  EXPECT_TRUE(images->front().local_only());
}

TEST_F(ImagesTest, SkipsAndCountsImagesWithoutAnId) {
  Node([](FakeNode& node) { node.images = {{.id = Id("a")}, {.id = ""}, {.id = ""}}; });
  const auto images = runtime_.ListImages(never_);
  ASSERT_TRUE(images) << images.error().what;
  EXPECT_THAT(Ids(*images), ElementsAre(Id("a")));
  const auto use = runtime_.ReadUse(never_);
  ASSERT_TRUE(use) << use.error().what;
  EXPECT_THAT(use->warnings, Contains(HasSubstr("lists 2 images without an ID")));

  Node([](FakeNode& node) { node.images = {{.id = Id("a")}}; });
  ASSERT_TRUE(runtime_.ListImages(never_));
  EXPECT_THAT(runtime_.ReadUse(never_)->warnings, Not(Contains(HasSubstr("without an ID"))));
}

TEST_F(ImagesTest, IgnoresTheNoneNameOfDocker) {
  Node([](FakeNode& node) {
    node.images = {{.id = Id("a"), .tags = {"<none>:<none>", ""}, .digests = {"<none>@<none>"}}};
  });
  const auto images = runtime_.ListImages(never_);
  ASSERT_TRUE(images) << images.error().what;
  EXPECT_THAT(images->front().tags, IsEmpty());
  EXPECT_THAT(images->front().digests, IsEmpty());
}

// CRI-O cuts the previous name of an image at the first colon, which may be that of a port.
TEST_F(ImagesTest, KeepsARegistryWithoutAPathApartFromDockerHub) {
  const std::string id(64, 'a'), digest = "sha256:" + std::string(64, 'b');
  Node([&](FakeNode& node) {
    node.images = {{.id = id, .digests = {"registry.example@" + digest}}};
  });
  const auto images = runtime_.ListImages(never_);
  ASSERT_TRUE(images) << images.error().what;
  const ImageName& name = images->at(0).digests.at(0);
  EXPECT_EQ(name.text(), "registry.example@" + digest);
  EXPECT_EQ(name.repository(), "registry.example");
  EXPECT_EQ(name.digest(), digest);
}

TEST_F(ImagesTest, AnIdListedTwiceIsOneImageWithBothNamesAndPinnedByEither) {
  for (const bool first_is_pinned : {true, false}) {
    Node([&](FakeNode& node) {
      node.images = {
          {.id = Id("a"), .tags = {"x:1"}, .size = 3, .pinned = first_is_pinned},
          {.id = Id("b"), .tags = {"b:1"}},
          {.id = Id("a"), .tags = {"x:1", "y:1"}, .size = 9, .pinned = !first_is_pinned}};
    });
    const auto images = runtime_.ListImages(never_);
    ASSERT_TRUE(images) << images.error().what;
    EXPECT_THAT(Ids(*images), ElementsAre(Id("a"), Id("b")));
    EXPECT_THAT(images->at(0).tags, ElementsAre(ImageName::Parse("x:1"), ImageName::Parse("y:1")));
    EXPECT_TRUE(images->at(0).pinned);
    EXPECT_EQ(images->at(0).size_bytes, 9u);
  }
}

TEST_F(ImagesTest, AsksForTheStreamOnceWhenThereIsNone) {
  fake_.AddImage(FakeImage::From(Img("a", {"nginx:1"})));
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(runtime_.ListImages(never_));
  EXPECT_EQ(fake_.Count("StreamImages"), 1u);
  EXPECT_EQ(fake_.Count("ListImages"), 3u);
}

TEST_F(ImagesTest, AnotherRuntimeIsAskedForTheStreamAgain) {
  fake_.AddImage(FakeImage::From(Img("a", {"nginx:1"})));
  ASSERT_TRUE(runtime_.Identity(never_));
  ASSERT_TRUE(runtime_.ListImages(never_));
  Node([](FakeNode& node) {
    node.streams = true;
    node.runtime_version = "2.3.0";
  });
  ASSERT_TRUE(runtime_.Identity(never_));
  fake_.ForgetCalls();
  ASSERT_TRUE(runtime_.ListImages(never_));
  EXPECT_EQ(fake_.Count("StreamImages"), 1u);
  EXPECT_EQ(fake_.Count("ListImages"), 0u);
}

TEST_F(ImagesTest, JoinsAllMessagesOfAStream) {
  for (const char* word : {"a", "b", "c", "d", "e"}) fake_.AddImage(FakeImage::From(Img(word, {})));
  Node([](FakeNode& node) { node.streams = true; });
  const auto images = runtime_.ListImages(never_);
  ASSERT_TRUE(images) << images.error().what;
  EXPECT_THAT(Ids(*images), ElementsAre(Id("a"), Id("b"), Id("c"), Id("d"), Id("e")));
  EXPECT_EQ(fake_.Count("ListImages"), 0u);
}

TEST_F(ImagesTest, AStreamThatEndsInAnErrorIsThrownAway) {
  for (const char* word : {"a", "b", "c"}) fake_.AddImage(FakeImage::From(Img(word, {})));
  Node([](FakeNode& node) { node.streams = true; });
  // UNIMPLEMENTED after data does not cause a fallback.
  for (const auto code : {grpc::StatusCode::UNAVAILABLE, grpc::StatusCode::UNIMPLEMENTED}) {
    fake_.Set("StreamImages", {.code = code, .message = "half", .halfway = true});
    const auto images = runtime_.ListImages(never_);
    ASSERT_FALSE(images);
    EXPECT_THAT(images.error().what, HasSubstr("StreamImages: "));
  }
  EXPECT_EQ(fake_.Count("ListImages"), 0u);
}

TEST_F(ImagesTest, ImageStatusTellsOfOneImageByItsFullId) {
  fake_.AddImage(FakeImage::From(Img("a", {"nginx:1"})));
  const auto there = runtime_.ImageStatus(ImageId(Id("a")), never_);
  ASSERT_TRUE(there) << there.error().what;
  ASSERT_TRUE(*there);
  EXPECT_EQ((*there)->id.text(), Id("a"));
  EXPECT_THAT(fake_.Arguments("ImageStatus"), ElementsAre(Id("a")));

  const auto absent = runtime_.ImageStatus(ImageId(Id("b")), never_);
  ASSERT_TRUE(absent) << absent.error().what;
  EXPECT_FALSE(*absent);
}

TEST_F(ImagesTest, ImageStatusRefusesAnythingShorterWithoutAsking) {
  fake_.AddImage(FakeImage::From(Img("a", {"nginx:1"})));
  for (const std::string& text : {std::string(), std::string("nginx:1"), Id("a").substr(0, 20)}) {
    const auto status = runtime_.ImageStatus(ImageId(text), never_);
    ASSERT_FALSE(status) << text;
    EXPECT_EQ(status.error().kind, ErrorKind::kInvalid);
  }
  EXPECT_EQ(fake_.Count("ImageStatus"), 0u);
}

TEST_F(ImagesTest, ImageStatusOfAnotherImageIsNoAnswer) {
  fake_.AddImage(FakeImage::From(Img("a", {"nginx:1"})));
  Node([](FakeNode& node) {  // resolved by digest: the found image has another ID
    node.images[0].digests = {"docker.io/library/nginx@" + Id("other")};
  });
  const auto status = runtime_.ImageStatus(ImageId(Id("other")), never_);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, ErrorKind::kIncomplete);
}

TEST_F(ImagesTest, ImageFilesystemsAreMountpointsOnceEach) {
  Node([](FakeNode& node) {
    node.image_filesystems = {"/var/lib/a", "", "/var/lib/b", "/var/lib/a"};
  });
  const auto paths = runtime_.ImageFilesystems(never_);
  ASSERT_TRUE(paths) << paths.error().what;
  EXPECT_THAT(*paths, ElementsAre("/var/lib/a", "/var/lib/b"));
}

}  // namespace
}  // namespace imagesweep::cri
