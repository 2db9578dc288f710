#include "agent/runtime/cri/delete.h"

#include "tests/support/open_guard.h"
#include "tests/unit/runtime/cri/fixture.h"

namespace imagesweep::cri {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StrEq;

class RemoverTest : public testing::Test {
 protected:
  Image Listed(const std::string& id) {
    auto images = client_.runtime.ListImages(never_);
    EXPECT_TRUE(images);
    for (const Image& image : *images)
      if (image.id.text() == id) return image;
    ADD_FAILURE() << id << " is not listed";
    return {};
  }

  FakeCri fake_;
  Client client_{fake_};
  CriImageRemover remover_{client_.connection};
  OpenGuard guard_;
  const std::stop_token never_{};
};

TEST_F(RemoverTest, PassesTheFullListedIdAndNothingElse) {
  const std::string bare = Id("crio").substr(7);
  const std::string sha512 = "sha512:" + std::string(128, 'a');
  for (const std::string& id : {Id("a"), bare, sha512}) {
    fake_.AddImage({.id = id, .tags = {"quay.io/x:1", "docker.io/y:2"}});
    fake_.ForgetCalls();
    const auto removed = remover_.Remove(Listed(id), guard_, never_);
    ASSERT_TRUE(removed) << removed.error().what;
    EXPECT_EQ(*removed, Removal::kRemoved);
    EXPECT_THAT(fake_.Arguments("RemoveImage"), ElementsAre(id));
    EXPECT_THAT(fake_.ImageIds(), IsEmpty());
  }
}

// K02: the request has the handler that the image was listed with.
TEST_F(RemoverTest, PassesTheRuntimeHandlerBack) {
  FakeImage image = FakeImage::From(Img("a", {"x:1"}));
  image.runtime_handler = "kata";
  fake_.AddImage(image);
  ASSERT_TRUE(remover_.Remove(Listed(Id("a")), guard_, never_));
  EXPECT_THAT(fake_.calls().back().runtime_handler, StrEq("kata"));
}

TEST_F(RemoverTest, RejectsAShortIdWithoutACall) {
  fake_.AddImage(FakeImage::From(Img("a", {"nginx:1"})));
  const std::string full = Id("a");
  const std::string hex = full.substr(7);
  const std::string rows[] = {
      "",
      " ",
      "3",
      hex.substr(0, 12),
      hex.substr(0, 63),
      hex + "0",
      "sha256:",
      "sha256:" + hex.substr(0, 63),
      ":" + hex,
      full + " ",
      " " + full,
      "sha256:" + std::string(64, 'A'),
      std::string(64, 'g'),
      "nginx:1",
      "docker.io/library/nginx:1",
      "docker.io/library/nginx@" + full,
      "docker://" + full,
      "sha256:sha256:" + hex,
      hex + std::string(1, '\0'),
  };
  for (const std::string& text : rows) {
    EXPECT_FALSE(IsFullImageId(text)) << text;
    Image image;
    image.id = ImageId(text);
    const auto removed = remover_.Remove(image, guard_, never_);
    ASSERT_FALSE(removed) << text;
    EXPECT_EQ(removed.error().kind, ErrorKind::kInvalid);
  }
  EXPECT_THAT(fake_.calls(), IsEmpty());
  EXPECT_THAT(fake_.ImageIds(), ElementsAre(Id("a")));
}

// C07, for one call
TEST_F(RemoverTest, TellsErrorsApart) {
  struct Row {
    grpc::StatusCode code;
    std::string message;
    ErrorKind kind;
  };
  const Row rows[] = {
      {grpc::StatusCode::UNKNOWN, "Error response from daemon: conflict", ErrorKind::kInternal},
      {grpc::StatusCode::INTERNAL, "no space left on device", ErrorKind::kInternal},
      {grpc::StatusCode::FAILED_PRECONDITION, "in use", ErrorKind::kInternal},
      {grpc::StatusCode::UNAVAILABLE, "shutting down", ErrorKind::kUnavailable},
      {grpc::StatusCode::DEADLINE_EXCEEDED, "", ErrorKind::kDeadline},
      {grpc::StatusCode::PERMISSION_DENIED, "not you", ErrorKind::kDenied},
      {grpc::StatusCode::UNAUTHENTICATED, "who", ErrorKind::kDenied},
      {grpc::StatusCode::RESOURCE_EXHAUSTED, "too many", ErrorKind::kIncomplete},
      // No one canceled the call here: the runtime did.
      {grpc::StatusCode::CANCELLED, "context canceled", ErrorKind::kUnavailable},
  };
  fake_.AddImage(FakeImage::From(Img("a", {"x:1"})));
  const Image image = Listed(Id("a"));
  for (const auto& [code, message, kind] : rows) {
    fake_.ForgetCalls();
    fake_.Set("RemoveImage", {.code = code, .message = message});
    const auto removed = remover_.Remove(image, guard_, never_);
    ASSERT_FALSE(removed) << message;
    EXPECT_EQ(removed.error().kind, kind) << message;
    EXPECT_THAT(removed.error().what, HasSubstr("RemoveImage: "));
    if (kind != ErrorKind::kDeadline) {
      EXPECT_THAT(removed.error().what, HasSubstr(message));
    }
    EXPECT_EQ(fake_.Count("RemoveImage"), 1u) << "tried again on its own";
  }
}

// C07
TEST_F(RemoverTest, AnImageThatIsAlreadyGoneCountsAsRemoved) {
  const Image image = Img("gone", {"x:1"});
  EXPECT_TRUE(remover_.Remove(image, guard_, never_));  // as containerd and CRI-O answer
  fake_.Set("RemoveImage", {.code = grpc::StatusCode::NOT_FOUND, .message = "no such image"});
  const auto removed = remover_.Remove(image, guard_, never_);
  ASSERT_TRUE(removed) << removed.error().what;
  EXPECT_EQ(*removed, Removal::kRemoved);
}

// The words only decide how the refusal is counted.
TEST_F(RemoverTest, ARefusalOfAnImageThatAContainerUsesIsNoFailure) {
  const char* const says_in_use[] = {
      "image is in use by 3f0a",
      "image used by 3f0a: image is in use by a container",
      "conflict: unable to remove repository reference (must force) - container is using its "
      "referenced image",
      "Error response from daemon: conflict: unable to remove repository reference \"x:1\" (must "
      "force) - container 3f0a is using its referenced image 12ab",
      "Error response from daemon: conflict: unable to delete 12ab (cannot be forced) - image is "
      "being used by running container 3f0a",
  };
  const char* const does_not[] = {
      "Error response from daemon: conflict: unable to delete 12ab (cannot be forced) - image has "
      "dependent child images",
      "device or resource busy", "layer in use"};
  fake_.AddImage(FakeImage::From(Img("a", {"x:1"})));
  const Image image = Listed(Id("a"));
  for (const char* text : says_in_use) {
    fake_.Set("RemoveImage", {.code = grpc::StatusCode::UNKNOWN, .message = text});
    const auto removed = remover_.Remove(image, guard_, never_);
    ASSERT_TRUE(removed) << text;
    EXPECT_EQ(removed->kind, Removal::Kind::kInUseElsewhere) << text;
    EXPECT_THAT(removed->why, HasSubstr(text));
    fake_.Set("RemoveImage", {.code = grpc::StatusCode::UNAVAILABLE, .message = text});
    EXPECT_FALSE(remover_.Remove(image, guard_, never_)) << "that says nothing of the image";
  }
  for (const char* text : does_not) {
    fake_.Set("RemoveImage", {.code = grpc::StatusCode::UNKNOWN, .message = text});
    EXPECT_FALSE(remover_.Remove(image, guard_, never_)) << text;
  }
}

TEST_F(RemoverTest, CallsNothingWhenTheGuardKeepsTheImage) {
  fake_.AddImage(FakeImage::From(Img("a", {"x:1"})));
  const Image image = Listed(Id("a"));
  guard_.why = "came into use by container shop/web";
  EXPECT_EQ(*remover_.Remove(image, guard_, never_), Removal::Skipped(guard_.why));
  EXPECT_EQ(fake_.Count("RemoveImage"), 0U);
}

// C07
TEST(RemoverOfRuntimesTest, HandlesAUsedImageAsEachRuntimeDoes) {
  struct Row {
    Flavour flavour;
    bool removes;
    bool keeps_tags;
  };
  const Row rows[] = {{Flavour::kContainerd22, true, false},
                      {Flavour::kContainerd23, true, false},
                      {Flavour::kCrio129, false, true},
                      {Flavour::kCrio130, false, true},
                      {Flavour::kDockerd, false, false}};
  for (const auto& [flavour, removes, keeps_tags] : rows) {
    FakeCri fake(flavour);
    Client client(fake);
    FakeImage image = FakeImage::From(Img("a", {"docker.io/library/x:1"}));
    fake.AddImage(image);
    fake.RunPod({"shop", "api", "uid-1"}, "web", "docker.io/library/x:1");
    CriImageRemover remover(client.connection);
    OpenGuard guard;
    const auto removed = remover.Remove(Img("a", {"x:1"}), guard, {});
    ASSERT_TRUE(removed);
    EXPECT_EQ(*removed == Removal::kRemoved, removes);
    EXPECT_EQ(fake.ImageIds().empty(), removes);
    if (!removes) {
      EXPECT_EQ(removed->kind, Removal::Kind::kInUseElsewhere);
      EXPECT_EQ(!fake.node().images[0].tags.empty(), keeps_tags);
    }
  }
}

TEST_F(RemoverTest, ReturnsTheAnswerOfTheRuntimeEvenWhenItIsWrong) {
  fake_.AddImage(FakeImage::From(Img("a", {"x:1"})));
  fake_.Edit([](FakeNode& node) { node.removed_stay_listed = true; });
  EXPECT_TRUE(remover_.Remove(Img("a", {}), guard_, never_));
  EXPECT_THAT(fake_.ImageIds(), ElementsAre(Id("a")));

  fake_.Edit([](FakeNode& node) {
    node.removed_stay_listed = false;
    node.removal_fails_late = true;
  });
  const auto removed = remover_.Remove(Img("a", {}), guard_, never_);
  ASSERT_FALSE(removed);
  EXPECT_EQ(removed.error().kind, ErrorKind::kDeadline);
  EXPECT_THAT(fake_.ImageIds(), IsEmpty());
}

TEST_F(RemoverTest, DoesNotEvenStartWhenStopped) {
  fake_.AddImage(FakeImage::From(Img("a", {"x:1"})));
  std::stop_source stop;
  stop.request_stop();
  const auto removed = remover_.Remove(Img("a", {}), guard_, stop.get_token());
  ASSERT_FALSE(removed);
  EXPECT_EQ(removed.error().kind, ErrorKind::kCancelled);
  EXPECT_EQ(fake_.Count("RemoveImage"), 0u);
}

}  // namespace
}  // namespace imagesweep::cri
