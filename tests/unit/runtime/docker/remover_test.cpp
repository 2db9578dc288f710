#include <gmock/gmock.h>

#include <atomic>

#include "agent/runtime/docker/delete.h"
#include "agent/runtime/docker/names.h"
#include "agent/runtime/docker/removal_steps.h"
#include "agent/runtime/docker/runtime.h"
#include "tests/support/fake_docker.h"
#include "tests/support/images.h"
#include "tests/support/open_guard.h"

namespace imagesweep::docker {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

std::string At(const std::string& repository, std::string_view word) {
  return repository + "@" + Id(word);
}

// Allows the first steps, and refuses all later ones.
struct CountingGuard final : DeletionGuard {
  explicit CountingGuard(int allowed_steps) : allowed(allowed_steps) {}
  std::string WhyNot() override { return allowed-- > 0 ? "" : "a pod needs it now"; }
  bool StillHolds() override { return true; }
  int allowed;
};

struct RemoverTest : testing::Test {
  // The image as a run lists it.
  Image Listed(std::string_view word) {
    Runtime runtime(client);
    const auto images = runtime.ListImages({});
    EXPECT_TRUE(images) << images.error().what;
    for (const Image& image : *images)
      if (image.id.text() == Id(word)) return image;
    ADD_FAILURE() << "not listed";
    return {};
  }
  Result<Removal> Remove(const Image& image) {
    engine.ForgetRequests();
    return EngineImageRemover(client).Remove(image, guard, {});
  }
  Result<Removal> Remove(std::string_view word) { return Remove(Listed(word)); }
  std::vector<std::string> Tags(std::string_view word) {
    const auto image = engine.Image(Id(word));
    return image ? image->tags : std::vector<std::string>{"gone"};
  }
  // Adds a container right before the n-th DELETE request arrives.
  void UseBeforeDelete(int n, std::string_view word) {
    engine.OnRequest([this, n, id = Id(word)](const std::string& method, const std::string&) {
      if (method == "DELETE" && ++seen_deletes == n)
        engine.AddContainer({.id = std::string(64, 'c'), .image = "x", .image_id = id});
      return std::optional<FakeEngineReply>();
    });
  }

  FakeDocker engine;
  Client client{engine.socket_path()};
  OpenGuard guard;
  std::atomic<int> seen_deletes{0};  // that a hook saw
};

TEST_F(RemoverTest, DeletesAnImageWithOneNameByItsId) {
  engine.AddImage({.id = Id("a"), .tags = {"nginx:1"}, .digests = {At("nginx", "d")}});
  const auto removed = Remove("a");
  ASSERT_TRUE(removed) << removed.error().what;
  EXPECT_EQ(*removed, Removal::kRemoved);
  EXPECT_THAT(engine.ImageIds(), IsEmpty());
  EXPECT_THAT(engine.Log("DELETE"), ElementsAre("DELETE /images/sha256%3A" + Id("a").substr(7) +
                                                "?force=false&noprune=1"));
  EXPECT_EQ(guard.asked, 1);
}

TEST_F(RemoverTest, RemovesTheOtherNamesFirst) {
  engine.AddImage({.id = Id("a"), .tags = {"nginx:1", "nginx:2", "team/web:1"}});
  EXPECT_EQ(*Remove("a"), Removal::kRemoved);
  EXPECT_THAT(engine.ImageIds(), IsEmpty());
  const auto deletes = engine.Log("DELETE");
  ASSERT_THAT(deletes, SizeIs(4));  // by ID, which is refused, two names, and by ID
  EXPECT_THAT(deletes[1], HasSubstr("/images/docker.io/library/nginx%3A1?force=false"));
  EXPECT_EQ(guard.asked, 4);
}

TEST_F(RemoverTest, DeletesAnImageWithoutANameByItsId) {
  engine.AddImage({.id = Id("a")});
  EXPECT_EQ(*Remove("a"), Removal::kRemoved);
  EXPECT_THAT(engine.ImageIds(), IsEmpty());
}

TEST_F(RemoverTest, DeletesAnImageThatOnlyDigestsOfTwoRepositoriesName) {
  engine.AddImage({.id = Id("a"), .digests = {At("app", "d"), At("mirror.example/app", "d")}});
  EXPECT_EQ(*Remove("a"), Removal::kRemoved);
  EXPECT_THAT(engine.ImageIds(), IsEmpty());
}

TEST_F(RemoverTest, CountsAnImageThatIsGoneAsRemoved) {
  engine.AddImage({.id = Id("a"), .tags = {"app:1"}});
  const Image image = Listed("a");
  engine.Edit([](FakeEngineNode& node) { node.images.clear(); });
  EXPECT_EQ(*Remove(image), Removal::kRemoved);
  EXPECT_THAT(engine.Log("DELETE"), IsEmpty());
  EXPECT_EQ(guard.asked, 0);
}

TEST_F(RemoverTest, SkipsAnImageWhoseNamesChanged) {
  engine.AddImage({.id = Id("a"), .tags = {"app:1"}});
  const Image image = Listed("a");
  engine.Edit([](FakeEngineNode& node) { node.images[0].tags = {"app:1", "app:stable"}; });
  EXPECT_EQ(Remove(image)->kind, Removal::Kind::kSkipped);
  EXPECT_THAT(engine.Log("DELETE"), IsEmpty());
  EXPECT_THAT(Tags("a"), ElementsAre("app:1", "app:stable"));
}

TEST_F(RemoverTest, LeavesAnImageThatGotANameInTheLastMoment) {
  engine.AddImage({.id = Id("a"), .tags = {"app:1"}});
  engine.OnRequest([this](const std::string& method, const std::string&) {
    if (method == "DELETE")
      engine.Edit([](FakeEngineNode& node) { node.images[0].tags = {"app:1", "app:stable"}; });
    return std::optional<FakeEngineReply>();
  });
  EXPECT_EQ(Remove("a")->kind, Removal::Kind::kSkipped);
  EXPECT_THAT(Tags("a"), ElementsAre("app:1", "app:stable"));
}

TEST_F(RemoverTest, TakesNoStepThatTheGuardRefuses) {
  engine.AddImage({.id = Id("a"), .tags = {"app:1"}});
  guard.why = "a pod needs it now";
  EXPECT_EQ(*Remove("a"), Removal::Skipped("a pod needs it now"));
  EXPECT_THAT(engine.Log("DELETE"), IsEmpty());
}

TEST_F(RemoverTest, GivesTheNamesBackWhenTheGuardRefusesALaterStep) {
  for (int allowed = 1; allowed <= 3; ++allowed) {
    engine.Edit([](FakeEngineNode& node) {
      node.images = {{.id = Id("a"), .tags = {"app:1", "app:2", "web:1"}}};
    });
    CountingGuard counting(allowed);
    const auto removed = EngineImageRemover(client).Remove(Listed("a"), counting, {});
    ASSERT_TRUE(removed) << removed.error().what;
    EXPECT_EQ(*removed, Removal::Skipped("a pod needs it now")) << allowed;
    EXPECT_THAT(Tags("a"), UnorderedElementsAre("app:1", "app:2", "web:1")) << allowed;
  }
}

TEST_F(RemoverTest, ReportsAContainerThatAppearsInTheLastMoment) {
  engine.AddImage({.id = Id("a"), .tags = {"app:1"}, .digests = {At("app", "d")}});
  UseBeforeDelete(1, "a");
  const auto removed = Remove("a");
  ASSERT_TRUE(removed) << removed.error().what;
  EXPECT_EQ(removed->kind, Removal::Kind::kInUseElsewhere);
  EXPECT_THAT(removed->why, HasSubstr("image is being used by running container"));
  EXPECT_THAT(Tags("a"), ElementsAre("app:1"));
  EXPECT_THAT(engine.Image(Id("a"))->digests, ElementsAre(At("app", "d")));
}

TEST_F(RemoverTest, GivesTheNamesBackWhenAContainerAppearsBetweenTwoSteps) {
  engine.AddImage({.id = Id("a"), .tags = {"app:1", "app:2"}});
  UseBeforeDelete(3, "a");
  EXPECT_EQ(Remove("a")->kind, Removal::Kind::kInUseElsewhere);
  EXPECT_THAT(Tags("a"), UnorderedElementsAre("app:1", "app:2"));
}

TEST_F(RemoverTest, LeavesAParentWithAllItsNames) {
  engine.AddImage({.id = Id("a"), .tags = {"app:1", "app:2"}});
  engine.AddImage({.id = Id("b"), .tags = {"child:1"}, .parent = Id("a")});
  EXPECT_EQ(Remove("a")->kind, Removal::Kind::kInUseElsewhere);
  EXPECT_THAT(Tags("a"), ElementsAre("app:1", "app:2"));
  EXPECT_THAT(engine.Log("DELETE"), SizeIs(1));
}

TEST_F(RemoverTest, LeavesANameThatMovedToAnotherImage) {
  engine.AddImage({.id = Id("a"), .tags = {"app:1", "app:2"}});
  engine.OnRequest([this](const std::string& method, const std::string&) {
    if (method == "DELETE" && engine.ImageIds().size() == 1)
      engine.Edit([](FakeEngineNode& node) {
        std::erase(node.images[0].tags, "app:1");
        node.images.push_back({.id = Id("b"), .tags = {"app:1"}});
        node.images[0].tags.push_back("app:3");
      });
    return std::optional<FakeEngineReply>();
  });
  EXPECT_EQ(Remove("a")->kind, Removal::Kind::kSkipped);
  EXPECT_THAT(Tags("b"), ElementsAre("app:1"));
}

TEST_F(RemoverTest, DoesNothingAfterARefusalInUnknownWords) {
  engine.AddImage({.id = Id("a"), .tags = {"app:1", "app:2"}});
  engine.OnRequest([](const std::string& method, const std::string&) {
    return method == "DELETE" ? std::optional(FakeEngineReply::Failure(409, "conflict: new words"))
                              : std::nullopt;
  });
  const auto removed = Remove("a");
  ASSERT_FALSE(removed);
  EXPECT_THAT(removed.error().what, HasSubstr("new words"));
  EXPECT_THAT(engine.Log("DELETE"), SizeIs(1));
}

TEST_F(RemoverTest, GivesTheNamesBackWhenTheDaemonFails) {
  engine.AddImage({.id = Id("a"), .tags = {"app:1", "app:2"}});
  engine.OnRequest([this](const std::string& method, const std::string&) {
    return method == "DELETE" && ++seen_deletes == 3
               ? std::optional(FakeEngineReply::Failure(500, "disk"))
               : std::nullopt;
  });
  const auto removed = Remove("a");
  ASSERT_FALSE(removed);
  EXPECT_THAT(removed.error().what, HasSubstr("disk"));
  EXPECT_THAT(Tags("a"), UnorderedElementsAre("app:1", "app:2"));
}

TEST_F(RemoverTest, CountsADeletionWhoseAnswerWasLostAsRemoved) {
  engine.AddImage({.id = Id("a"), .tags = {"app:1"}});
  engine.OnRequest([this](const std::string& method, const std::string&) {
    if (method != "DELETE") return std::optional<FakeEngineReply>();
    engine.Edit([](FakeEngineNode& node) { node.images.clear(); });
    return std::optional(FakeEngineReply{.raw = ""});
  });
  const auto removed = Remove("a");
  ASSERT_TRUE(removed) << removed.error().what;
  EXPECT_EQ(*removed, Removal::kRemoved);
}

TEST_F(RemoverTest, ReportsAnImageThatIsStillThere) {
  engine.AddImage({.id = Id("a"), .tags = {"app:1"}});
  engine.OnRequest([](const std::string& method, const std::string&) {
    return method == "DELETE" ? std::optional(FakeEngineReply{.body = "[]"}) : std::nullopt;
  });
  const auto removed = Remove("a");
  ASSERT_FALSE(removed);
  EXPECT_THAT(removed.error().what, HasSubstr("docker.io/library/app:1"));
}

TEST_F(RemoverTest, NeverSendsAShortId) {
  Image image = Img("a", {"app:1"});
  image.id = ImageId("3f8a7c2b1e9d");
  EXPECT_EQ(Remove(image).error().kind, ErrorKind::kInvalid);
  EXPECT_THAT(engine.Log(), IsEmpty());
}

TEST(RemovalSteps, RemovesNamesThatCannotComeBackLast) {
  Image image;
  for (const char* tag : {"app:1", "web:1", "app:2"}) image.tags.push_back(ImageName::Parse(tag));
  for (const std::string& digest : {At("app", "d"), At("mirror.example/x", "d")})
    image.digests.push_back(ImageName::Parse(digest));
  std::vector<std::string> names;
  for (const ImageName& name : NamesToRemoveFirst(image)) names.push_back(name.text());
  EXPECT_THAT(names, ElementsAre("docker.io/library/web:1", "docker.io/library/app:1",
                                 At("mirror.example/x", "d")));
}

TEST_F(RemoverTest, NamesComeBackUnlessAnotherImageHasThem) {
  engine.AddImage({.id = Id("a"), .tags = {"app:1"}});
  engine.AddImage({.id = Id("b"), .tags = {"app:2"}});
  EngineNameRestorer restorer(client);
  const auto given = restorer.RestoreNames(
      Listed("a"), {"docker.io/library/app:2", "docker.io/library/app:3", At("app", "d")}, {});
  ASSERT_TRUE(given) << given.error().what;
  EXPECT_THAT(Tags("a"), UnorderedElementsAre("app:1", "app:3"));
  EXPECT_THAT(Tags("b"), ElementsAre("app:2"));
}

}  // namespace
}  // namespace imagesweep::docker
