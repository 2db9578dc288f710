#include "agent/model/template_images.h"

#include <gtest/gtest.h>

#include <span>

#include <initializer_list>
#include <string>

#include "tests/support/images.h"

namespace imagesweep {
namespace {

// An image as a runtime lists it after a pull by digest.
Image ByDigest(const std::string& repository) {
  Image image;
  image.id = ImageId(Id(repository));
  image.digests.push_back(ImageName::Parse(repository + "@" + Id("digest-" + repository)));
  return image;
}

std::vector<ImagePos> Find(const std::vector<Image>& images, std::string_view text,
                           bool short_name_aliases = false,
                           const ByImage<std::span<const ImageName>>& lost_tags = {}) {
  std::vector<ImagePos> found = ImagesAt(77);  // from an earlier call
  TemplateImages(images, lost_tags, short_name_aliases).FindInto(text, found);
  return found;
}

TEST(TemplateImages, FindsTheNameWithAnotherRegistryOrAPrefix) {
  struct {
    const char* text;
    std::initializer_list<const char*> names;
  } const cases[] = {
      {"docker.io/shop/app:1",
       {"mirror.example/docker.io/shop/app:1", "mirror.example/shop/app:1",
        "mirror.example:5000/dockerhub-proxy/shop/app:1", "shop/app:1"}},
      {"quay.io/app:1", {"mirror.example/quay.io/app:1", "mirror.example/app:1"}},
      {"nginx",
       {"mirror.example/docker.io/library/nginx:latest", "mirror.example/library/nginx:latest",
        "mirror.example/nginx:latest", "docker.io/library/nginx:latest"}},
      {"docker://nginx:1", {"mirror.example/nginx:1"}},
  };
  for (const auto& [text, names] : cases)
    for (const char* name : names)
      EXPECT_EQ(Find({Img("x", {"other:1"}), Img("y", {name})}, text), ImagesAt(1))
          << text << " as " << name;
}

TEST(TemplateImages, FindsNoOtherPathOrTag) {
  for (const char* name : {"mirror.example/shop/app:2", "mirror.example/shop/myapp:1",
                           "mirror.example/myshop/app:1", "mirror.example/app:1"})
    EXPECT_EQ(Find({Img("x", {name})}, "docker.io/shop/app:1"), ImagesAt()) << name;
}

TEST(TemplateImages, FindsAPinnedDigestForEachTag) {
  for (const char* repository :
       {"docker.io/shop/app", "mirror.example/docker.io/shop/app", "mirror.example/shop/app"})
    for (const char* text : {"shop/app", "docker.io/shop/app:1", "docker.io/shop/app:2"})
      EXPECT_EQ(Find({ByDigest("docker.io/shop/other"), ByDigest(repository)}, text), ImagesAt(1))
          << text << " in " << repository;
}

TEST(TemplateImages, FindsADigestBesideATagOfAnotherRepository) {
  Image image = ByDigest("mirror.example/shop/app");
  image.tags.push_back(ImageName::Parse("quay.io/team/build:77"));
  EXPECT_EQ(Find({image}, "docker.io/shop/app:1"), ImagesAt(0));
  image.tags.push_back(ImageName::Parse("mirror.example/shop/app:2"));
  EXPECT_EQ(Find({image}, "docker.io/shop/app:1"), ImagesAt()) << "it was pulled by that tag";
}

// Only the move of this very tag to another image proves that a pin of it now means the other one.
TEST(TemplateImages, FindsNoDigestWhoseTagMovedToAnotherImage) {
  const std::vector<Image> moved{ByDigest("docker.io/shop/app"), ByDigest("quay.io/shop/app"),
                                 Img("new", {"docker.io/shop/app:1"})};
  const std::vector<ImageName> lost{ImageName::Parse("docker.io/shop/app:1")};
  const ByImage<std::span<const ImageName>> lost_tags({lost, {}, {}});
  EXPECT_EQ(Find(moved, "docker.io/shop/app:1"), ImagesAt(0, 1, 2)) << "what was lost is unknown";
  EXPECT_EQ(Find(moved, "docker.io/shop/app:1", false, lost_tags), ImagesAt(1, 2));
  EXPECT_EQ(Find(moved, "shop/app:2", false, lost_tags), ImagesAt(0, 1)) << "another tag";

  const std::vector<Image> gone{moved[0], moved[1]};
  EXPECT_EQ(Find(gone, "shop/app:1", false, lost_tags), ImagesAt(0, 1)) << "no image has the tag";

  std::vector<Image> retagged = moved;
  MakeLocal(retagged[2]);
  EXPECT_EQ(Find(retagged, "docker.io/shop/app:1", false, lost_tags), ImagesAt(0, 1, 2))
      << "the tag moved on the node alone";

  const std::vector<Image> mirrored{moved[0], Img("m", {"mirror.example/docker.io/shop/app:1"})};
  EXPECT_EQ(Find(mirrored, "shop/app:1", false, {{lost, {}}}), ImagesAt(0, 1))
      << "a mirror has a tag of its own";

  std::vector<Image> two = moved;
  two[0].digests.push_back(ImageName::Parse("mirror.example/shop/app@" + Id("shop/app")));
  EXPECT_EQ(Find(two, "docker.io/shop/app:1", false, lost_tags), ImagesAt(0, 1, 2))
      << "a second repository, of which no tag is known";
}

TEST(TemplateImages, FindsNothingForADigestOrTextThatIsNoName) {
  const std::vector<Image> images{Img("x", {"docker.io/shop/app:1"}),
                                  ByDigest("docker.io/shop/app")};
  for (const std::string& text :
       {"shop/app@" + Id("other"), "shop/app:1@" + Id("other"), Id("x"), std::string(),
        std::string("/"), std::string(":1"), std::string("shop/app:"), std::string("shop/App:1")})
    EXPECT_EQ(Find(images, text, true), ImagesAt()) << text;
}

TEST(TemplateImages, FollowsAliasesOfNamesWithoutARegistryToEachRepositoryWithTheTag) {
  const std::vector<Image> images{Img("alias", {"registry.example/team/nightly-backup:1"}),
                                  Img("path", {"quay.io/backup:1"}),
                                  Img("tag", {"registry.example/team/nightly-backup:2"})};
  EXPECT_EQ(Find(images, "backup:1", true), ImagesAt(0, 1))
      << "although another image has the path: an alias comes first";
  EXPECT_EQ(Find(images, "backup:1", false), ImagesAt(1));
  EXPECT_EQ(Find(images, "docker.io/library/backup:1", true), ImagesAt(1)) << "it has no alias";
}

TEST(TemplateImages, ListsEachImageOnceInAscendingOrder) {
  const std::vector<Image> images{Img("b", {"quay.io/app:1", "mirror.example/quay.io/app:1"}),
                                  Img("a", {"mirror.example/app:1"})};
  EXPECT_EQ(Find(images, "app:1", true), ImagesAt(0, 1));
}

}  // namespace
}  // namespace imagesweep
