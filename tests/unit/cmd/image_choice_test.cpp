#include "agent/cmd/image_choice.h"

#include <gmock/gmock.h>

#include "tests/support/images.h"

namespace imagesweep {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(ImageChoice, ADigestMayBeCutOffAsTablesShowIt) {
  std::vector<Image> images = {Img("tagged", {"registry.example/ci:latest"}),
                               Img("dangling", {"registry.example/ci:old"})};
  images[1].tags.clear();
  const std::string digest = images[1].digests.front().text();
  const auto hex = digest.find(':', digest.find('@')) + 1;
  EXPECT_EQ(ImagesMeantBy(images, digest), ImagesAt(1));
  EXPECT_EQ(ImagesMeantBy(images, digest.substr(0, hex + 20)), ImagesAt(1));
  EXPECT_EQ(ImagesMeantBy(images, digest.substr(0, hex + 6)), ImagesAt(0, 1))
      << "both begin like this";
  EXPECT_THAT(ImagesMeantBy(images, digest.substr(0, hex + 5)), IsEmpty());
  EXPECT_THAT(ImagesMeantBy(images, digest.substr(0, hex + 20) + "0"), IsEmpty());
  EXPECT_EQ(ImagesMeantBy(images, "registry.example/ci:latest"), ImagesAt(0));
}

TEST(ImageChoice, ADigestMayBeCutOffWithoutDockerHubAsTablesShowIt) {
  std::vector<Image> images = {Img("hub", {"ci:1"}), Img("team", {"team/ci:1"}),
                               Img("other", {"quay.io/ci:1"})};
  for (Image& image : images) image.tags.clear();
  for (const ImagePos at : ImagesAt(0, 1)) {
    const std::string digest = At(images, at).digests.front().text();
    const std::string shown = digest.substr(0, digest.find(':') + 13);
    const std::string hub = at == ImagePos(0) ? "docker.io/library/" : "docker.io/";
    ASSERT_EQ(shown.find(hub), 0U);
    EXPECT_THAT(ImagesMeantBy(images, shown.substr(hub.size())), ElementsAre(at));
  }
}

// A user may shorten a name, a pod may not.
TEST(ImageChoice, AnIdMayBeCutOffAnywhere) {
  std::vector<Image> images = {Img("a", {"registry.example/a:1"}), Img("b", {"cafe:latest"})};
  images[0].id = ImageId("sha256:cafe" + std::string(60, '0'));
  images[1].id = ImageId("ca11" + std::string(60, '0'));
  EXPECT_EQ(ImagesMeantBy(images, "ca"), ImagesAt(0, 1));
  EXPECT_EQ(ImagesMeantBy(images, "sha256:caf"), ImagesAt(0));
  EXPECT_EQ(ImagesMeantBy(images, "ca11"), ImagesAt(1));
  EXPECT_EQ(ImagesMeantBy(images, "cafe"), ImagesAt(1)) << "a name is a name";
  EXPECT_THAT(ImagesMeantBy(images, "cab"), IsEmpty());
}

}  // namespace
}  // namespace imagesweep
