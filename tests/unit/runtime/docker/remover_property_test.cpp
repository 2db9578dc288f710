#include <gmock/gmock.h>

#include <algorithm>
#include <random>
#include <set>

#include "agent/model/image_index.h"
#include "agent/runtime/docker/delete.h"
#include "agent/runtime/docker/runtime.h"
#include "tests/support/fake_docker.h"
#include "tests/support/images.h"

namespace imagesweep::docker {
namespace {

using testing::IsSupersetOf;

// Asks the containers of the daemon as a recheck does, and refuses at random. Between two steps, a
// container may appear.
class RandomGuard final : public DeletionGuard {
 public:
  RandomGuard(FakeDocker& engine, Runtime& runtime, const Image& image, std::mt19937& random)
      : engine_(engine), runtime_(runtime), image_(image), random_(random) {}

  std::string WhyNot() override {
    if (Chance(10)) return "refused at random";
    const auto use = runtime_.ReadContainers({});
    if (!use) return use.error().what;
    const ImageIndex index(std::span(&image_, 1));
    for (const ImageReference& reference : use->references)
      if (!index.Resolve(reference).empty()) return "in use";
    if (Chance(10)) Create();  // after the list, before the step
    return {};
  }
  bool StillHolds() override { return !Chance(5); }

 private:
  bool Chance(int percent) { return static_cast<int>(random_() % 100) < percent; }
  void Create() {
    engine_.AddContainer({.id = Id("race" + std::to_string(random_() % 100'000)).substr(7),
                          .image = image_.tags.empty() ? image_.id.text() : "x",
                          .image_id = image_.id.text(),
                          .state = Chance(50) ? "running" : "exited"});
  }

  FakeDocker& engine_;
  Runtime& runtime_;
  const Image& image_;
  std::mt19937& random_;
};

FakeEngineImage RandomImage(int number, bool containerd_store, std::mt19937& random) {
  const std::string id = Id("i" + std::to_string(number));
  const std::string digest = containerd_store ? id : Id("m" + std::to_string(number));
  FakeEngineImage image{.id = id};
  const std::string own = "app" + std::to_string(number);
  for (const std::string& repository : {own, "registry.example:5000/" + own}) {
    for (const auto tags = random() % 3; image.tags.size() < 6 && image.tags.size() < tags;)
      image.tags.push_back(repository + ":" + std::to_string(image.tags.size()));
    // In Docker's own store, digests of one repository only, and with its tags: others do not
    // come back.
    const bool named = std::ranges::any_of(
        image.tags, [&](const std::string& tag) { return tag.starts_with(repository + ":"); });
    if (containerd_store ? named : named && image.digests.empty() && random() % 2 == 0)
      image.digests.push_back(repository + "@" + digest);
  }
  if (!containerd_store && image.tags.empty() && random() % 2 == 0)
    image.digests.push_back(own + "@" + digest);
  return image;
}

TEST(RemoverProperty, NoUsedImageGoesAndNoSkippedImageLosesAName) {
  std::mt19937 random(20'261'130);
  int removed = 0, skipped = 0, in_use = 0;
  for (int node = 0; node < 24; ++node) {
    FakeDocker engine;
    const Client client(engine.socket_path());
    Runtime runtime(client);
    EngineImageRemover remover(client);
    const bool containerd_store = node % 2 == 1;
    engine.Edit([&](FakeEngineNode& all) { all.containerd_store = containerd_store; });
    for (int number = 0; number < 16; ++number) {
      FakeEngineImage image = RandomImage(number, containerd_store, random);
      if (!containerd_store && number > 0 && random() % 8 == 0)
        image.parent = Id("i" + std::to_string(random() % static_cast<unsigned>(number)));
      if (random() % 4 == 0)
        engine.AddContainer({.id = Id("c" + std::to_string(number)).substr(7),
                             .image = image.tags.empty() ? image.id : image.tags.front(),
                             .image_id = image.id,
                             .state = random() % 2 == 0 ? "running" : "exited"});
      engine.AddImage(std::move(image));
    }
    auto images = runtime.ListImages({});
    ASSERT_TRUE(images) << images.error().what;
    std::ranges::shuffle(*images, random);
    for (const Image& image : *images) {
      const auto before = engine.Image(image.id.text());
      if (!before) continue;  // pruned with its last child
      RandomGuard guard(engine, runtime, image, random);
      const auto result = remover.Remove(image, guard, {});
      ASSERT_TRUE(result) << result.error().what;
      const auto after = engine.Image(image.id.text());
      if (result->kind == Removal::Kind::kRemoved) {
        EXPECT_FALSE(after);
        ++removed;
      } else {
        ASSERT_TRUE(after) << result->why;
        EXPECT_EQ(std::set(after->tags.begin(), after->tags.end()),
                  std::set(before->tags.begin(), before->tags.end()))
            << result->why;
        if (!containerd_store) {
          EXPECT_EQ(std::set(after->digests.begin(), after->digests.end()),
                    std::set(before->digests.begin(), before->digests.end()))
              << result->why;
        }
        ++(result->kind == Removal::Kind::kSkipped ? skipped : in_use);
      }
      std::set<std::string> used;
      for (const FakeEngineContainer& container : engine.node().containers)
        used.insert(container.image_id);
      EXPECT_THAT(engine.ImageIds(), IsSupersetOf(used));
    }
  }
  // The test is worth something only if everything happens.
  EXPECT_GT(removed, 100);
  EXPECT_GT(skipped, 50);
  EXPECT_GT(in_use, 10);
}

}  // namespace
}  // namespace imagesweep::docker
