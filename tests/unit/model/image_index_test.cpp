#include "agent/model/image_index.h"

#include <gtest/gtest.h>

#include "tests/support/images.h"

namespace imagesweep {
namespace {

// R01: an image with three tags in two registries, as each runtime lists it.
std::vector<Image> ThreeTags(bool bare_id) {
  Image image;
  image.id = ImageId(bare_id ? Id("app").substr(7) : Id("app"));
  for (const char* tag :
       {"docker.io/library/app:1", "docker.io/library/app:stable", "quay.io/team/app:1"})
    image.tags.push_back(ImageName::Parse(tag));
  for (const char* repository : {"docker.io/library/app", "quay.io/team/app"})
    image.digests.push_back(ImageName::Parse(std::string(repository) + "@" + Id("manifest")));
  return {Img("other", {"docker.io/library/other:1"}), image};
}

TEST(ImageIndex, ResolvesEveryFormInWhichAPodOrContainerMayNameAnImage) {
  const std::string hex = Id("app").substr(7);
  const std::string digest = Id("manifest");
  const std::string forms[] = {
      "app:1",
      "library/app:1",
      "docker.io/library/app:1",
      "docker.io/app:stable",
      "quay.io/team/app:1",
      "app@" + digest,
      "app:9@" + digest,
      "quay.io/team/app@" + digest,
      // a digest counts for any repository
      "elsewhere.io/app@" + digest,
      digest,
      digest.substr(7),
      Id("app"),
      hex,
      hex.substr(0, 12),
      "sha256:" + hex.substr(0, 12),
      // cri-dockerd
      "docker-pullable://quay.io/team/app@" + digest,
      "docker://" + Id("app"),
      "docker://" + hex,
      // containerd ≤ 2.2: image_ref is the config digest
      "docker.io/library/app@" + Id("app"),
  };
  for (const bool bare_id : {false, true}) {
    const auto images = ThreeTags(bare_id);
    const ImageIndex index(images);
    for (const auto& form : forms) EXPECT_EQ(index.Resolve(form), ImagesAt(1)) << form;
  }
}

TEST(ImageIndex, FindsNothingForForeignOrEmptyText) {
  const auto images = ThreeTags(false);
  const ImageIndex index(images);
  for (const char* text :
       {"", "app:2", "quay.io/other/app:1", "docker.io/library/ap:1", "docker://", "://"})
    EXPECT_TRUE(index.Resolve(text).empty()) << text;
}

// A name is first looked up unchanged. If that finds nothing, other forms are tried.
TEST(ImageIndex, ANameWithARegistryIsFoundInEachFormThatMeansIt) {
  const std::string hex = Id("app").substr(7);
  const struct {
    const char* image;
    std::string text;
    bool found;
  } cases[] = {
      {"docker.io/library/app:1", "docker.io/app:1", true},
      {"docker.io/library/app:1", "index.docker.io/app:1", true},
      {"docker.io/library/app:1", "index.docker.io/library/app:1", true},
      {"reg.io/app:latest", "reg.io/app", true},
      {"reg.io:5000/app:latest", "reg.io:5000/app", true},
      {"localhost/app:1", "localhost/app:1", true},
      {"reg.io/app:1", "reg.io/app:2@" + Id("digest-app"), true},
      {"reg.io/app:1", "reg.io/other:" + hex, true},  // as an id
      {"reg.io/app:1", "reg.io/app:", false},
      {"reg.io/app:1", "reg.io/App:1", false},
      {"reg.io/app:1", "reg.io:5000/app:1", false},
      {"reg.io/app:1", "reg.io/app:1/x:1", false},
  };
  for (const auto& [image, text, found] : cases) {
    const std::vector<Image> images = {Img("app", {image})};
    EXPECT_EQ(ImageIndex(images).Resolve(text).size(), found ? 1U : 0U) << text;
  }
}

// R03: the tag moved, but the container still runs the old image.
TEST(ImageIndex, ResolvesADanglingImageById) {
  Image old;
  old.id = ImageId(Id("old"));
  const std::vector<Image> images = {old, Img("new", {"x:latest"})};
  const ImageIndex index(images);
  EXPECT_EQ(index.Resolve(Id("old")), ImagesAt(0));
  EXPECT_EQ(index.Resolve("x:latest"), ImagesAt(1));
}

// R05: CRI-O may resolve an unqualified name in any search registry or alias.
TEST(ImageIndex, AnUnqualifiedNameMeansEverySamePathUntilTheStatusShowsWhich) {
  const std::vector<Image> images = {
      Img("q", {"quay.io/app:1"}), Img("d", {"docker.io/library/app:1"}),
      Img("z", {"reg.io/z/app:1"}), Img("n", {"quay.io/my-app:1"}), Img("2", {"quay.io/app:2"})};
  const ImageIndex index(images);
  EXPECT_EQ(index.Resolve("app:1"), ImagesAt(0, 1, 2));
  EXPECT_EQ(index.Resolve({"app:1", Id("q"), {}}), ImagesAt(0, 1));  // the default stays
  EXPECT_EQ(index.Resolve({"app:1", "sha256:" + std::string(64, 'f'), {}}), ImagesAt(0, 1, 2));
  EXPECT_EQ(index.Resolve("quay.io/app:1"), ImagesAt(0));
}

// The alias of a short name may be any repository (registries.conf).
TEST(ImageIndex, AnUnqualifiedNameOfAPodMeansEverySameTagWhereShortNamesHaveAliases) {
  const std::vector<Image> images = {Img("a", {"quay.io/buildah/stable:1"}),
                                     Img("b", {"quay.io/buildah/stable:2"}),
                                     Img("other", {"quay.io/other:1"})};
  const ImageReference of_pod{"buildah:1", {}, {ImageUserKind::kPod, "ci", "build", "main"}};
  const ImageIndex index(images, /*short_name_aliases=*/true);
  EXPECT_EQ(index.Resolve(of_pod), ImagesAt(0, 2));
  EXPECT_EQ(index.Resolve("buildah:1"), ImagesAt()) << "not of a pod";
  EXPECT_EQ(index.Resolve({"quay.io/other:1", {}, of_pod.by}), ImagesAt(2)) << "no short name";
  EXPECT_EQ(index.Resolve({"buildah:1", Id("b"), of_pod.by}), ImagesAt(0, 2))
      << "the status may be that of the image before an update";
  EXPECT_EQ(ImageIndex(images).Resolve(of_pod), ImagesAt());
}

TEST(ImageIndex, ATagThatLooksLikeADigestIsATag) {
  const std::string hex(64, 'a');
  std::vector<Image> images = {Img("debug", {"reg.io/app-debug:" + hex}),
                               Img("app", {"reg.io/app:1"}), Img("short", {"app-debug:" + hex})};
  images[1].digests = {ImageName::Parse("reg.io/app@sha256:" + hex)};
  const ImageIndex index(images);
  EXPECT_EQ(index.Resolve("reg.io/app-debug:" + hex), ImagesAt(0, 1));
  EXPECT_EQ(index.Resolve("app-debug:" + hex), ImagesAt(0, 1, 2));
  EXPECT_EQ(index.Resolve("sha256:" + hex), ImagesAt(1));
  EXPECT_EQ(index.Resolve(hex), ImagesAt(1));
}

// Doubt keeps images: a text that may mean several IDs means all of them.
TEST(ImageIndex, AShortenedIdMeansEveryImageItMayMean) {
  Image a = Img("a", {"a:1"}), b = Img("b", {"b:1"});
  a.id = ImageId("sha256:abc012345678" + std::string(52, '0'));
  b.id = ImageId("sha256:abc012345678" + std::string(52, '1'));
  const std::vector<Image> images = {a, b};
  const ImageIndex index(images);
  EXPECT_EQ(index.Resolve("abc012345678"), ImagesAt(0, 1));
  EXPECT_EQ(index.Resolve("sha256:abc012345678"), ImagesAt(0, 1));
  EXPECT_EQ(index.Resolve("abc0123456780"), ImagesAt(0));
}

// A pod with sixteen containers named 0 to f must not keep every image of the node.
TEST(ImageIndex, FewerThanTwelveDigitsAreAName) {
  Image named = Img("n", {"cafe:latest"});
  std::vector<Image> images = {named};
  for (const char digit : std::string("0123456789abcdef")) {
    images.push_back(Img(std::string(1, digit), {}));
    images.back().id = ImageId("sha256:" + std::string(1, digit) + std::string(63, '7'));
  }
  const ImageIndex index(images);
  for (const char digit : std::string("0123456789abcdef"))
    EXPECT_TRUE(index.Resolve(std::string(1, digit)).empty()) << digit;
  EXPECT_EQ(index.Resolve("cafe"), ImagesAt(0));
  EXPECT_TRUE(index.Resolve("a7777777777").empty());
  EXPECT_TRUE(index.Resolve("sha256:a7777777777").empty());
  EXPECT_EQ(index.Resolve("a77777777777"), ImagesAt(11));
}

// crictl run with "image: a": containerd resolves the prefix, and image_ref has the result.
TEST(ImageIndex, AContainersOwnReferenceIsNeverDropped) {
  Image a = Img("a", {}), b = Img("b", {});
  a.id = ImageId("sha256:a1" + std::string(62, '0'));
  b.id = ImageId("sha256:a2" + std::string(62, '0'));
  const std::vector<Image> images = {a, b};
  const ImageIndex index(images);
  ImageUser by;
  by.kind = ImageUserKind::kContainer;
  EXPECT_EQ(index.Resolve({a.id.text(), a.id.text(), by}), ImagesAt(0));
  EXPECT_EQ(index.Resolve({"a", {}, by}), ImagesAt(0, 1)) << "the runtime says nothing else";
  EXPECT_EQ(index.Resolve({"a1", {}, by}), ImagesAt(0));
  EXPECT_TRUE(index.Resolve({"a", {}, {}}).empty()) << "a pod's own text is a name";
}

TEST(ImageIndex, TwoImagesWithOneTagAreBothMeant) {
  const std::vector<Image> images = {Img("a", {"x:1"}), Img("b", {"x:1"})};
  EXPECT_EQ(ImageIndex(images).Resolve("x:1"), ImagesAt(0, 1));
}

}  // namespace
}  // namespace imagesweep
