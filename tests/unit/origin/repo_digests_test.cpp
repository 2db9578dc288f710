#include "agent/runtime/cri/repo_digests.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "agent/gc/observe/origins.h"
#include "agent/gc/plan/planner.h"
#include "tests/support/observation.h"

namespace imagesweep {
namespace {

struct Recorded {
  RuntimeIdentity runtime;
  std::vector<Image> images;
  const Image& Named(std::string_view tag) const {
    for (const Image& image : images)
      for (const ImageName& name : image.tags)
        if (name.text() == tag) return image;
    throw std::runtime_error("no image " + std::string(tag));
  }
  // The images that are removed with short ages and no other protection.
  std::vector<std::string> Removed() const {
    Policy policy = Policy::Default();
    policy.keep.images.clear();
    policy.maximum_age = Millis(1);
    policy.limits.max_percent_of_images = 100;
    ObservationBuilder builder;
    for (const Image& image : images) builder.Add(image);
    std::vector<std::string> names;
    for (const auto at : MakePlan(policy, builder.seen()).removals)
      names.push_back(At(images, at).display_name());
    return names;
  }
};

// Answers of a real runtime to Version and ListImages, judged with all sources for that runtime.
Recorded Read(const std::string& file) {
  std::ifstream stream(IMAGESWEEP_SOURCE_DIR "/tests/unit/origin/fixtures/" + file);
  const auto json = nlohmann::json::parse(stream);
  Recorded recorded;
  recorded.runtime.name = json["Version"]["runtime_name"];
  recorded.runtime.version = json["Version"]["runtime_version"];
  for (const auto& listed : json["ListImages"]["images"]) {
    Image image;
    image.id = ImageId(listed["id"].get<std::string>());
    image.pinned = listed.value("pinned", false);
    for (const std::string& text : listed.value("repo_tags", std::vector<std::string>()))
      if (text.find("<none>") == std::string::npos) image.tags.push_back(ImageName::Parse(text));
    for (const std::string& text : listed.value("repo_digests", std::vector<std::string>()))
      if (text.find("<none>") == std::string::npos) image.digests.push_back(ImageName::Parse(text));
    recorded.images.push_back(std::move(image));
  }
  cri::RepoDigests digests;
  EXPECT_TRUE(OriginJudge({&digests}).Fill(recorded.images, recorded.runtime, {}).empty());
  return recorded;
}

TEST(RepoDigests, ProveNothingOnCrio) {
  const Recorded node = Read("cri-o-1.34.0.json");
  ASSERT_EQ(node.images.size(), 7U);
  for (const Image& image : node.images) EXPECT_TRUE(image.local_only()) << image.display_name();
  EXPECT_EQ(
      node.Named("registry.example.com/shop/airgap:v1").origin.evidence,
      "a repo digest alone is not evidence, and CRI-O also gives repo digests to images that no "
      "registry has");
  EXPECT_TRUE(node.Removed().empty());
}

TEST(RepoDigests, ProveAPullInTheStoreOfDocker) {
  const Recorded node = Read("docker-20.10.24.json");
  ASSERT_EQ(node.images.size(), 5U);
  EXPECT_EQ(node.Named("docker.io/shop/built:v1").origin.kind, OriginKind::kLocal);
  const Origin& pulled = node.Named("127.0.0.1:5000/u/two:v1").origin;
  EXPECT_EQ(pulled.kind, OriginKind::kPulled);
  EXPECT_TRUE(pulled.pull_by.starts_with("127.0.0.1:5000/u/two@sha256:7f4828c1")) << pulled.pull_by;
  EXPECT_TRUE(node.images[1].local_only()) << "<none>@<none>";
  EXPECT_EQ(node.Removed().size(), 2U) << "what was pulled and is neither pinned nor built here";
}

TEST(RepoDigests, ProveNothingInTheContainerdStoreOfDocker) {
  Recorded node = Read("docker-29-containerd-store.json");
  ASSERT_EQ(node.images.size(), 4U);
  for (const Image& image : node.images) EXPECT_TRUE(image.local_only()) << image.display_name();
  EXPECT_TRUE(node.Removed().empty());
  // Older versions can have that store too, as their IDs show.
  node.runtime.version = "27.3.1";
  cri::RepoDigests digests;
  OriginJudge({&digests}).Fill(node.images, node.runtime, {});
  for (const Image& image : node.images) EXPECT_TRUE(image.local_only()) << image.display_name();
}

TEST(RepoDigests, ProveNothingOnAnUnknownRuntime) {
  for (const char* name : {"containerd", "cri-o", "isulad", ""}) {
    std::vector<Image> images{Img("a", {"shop.example/app:v1"})};
    cri::RepoDigests digests;
    OriginJudge({&digests}).Fill(images, {name, "20.10.24", "", 0}, {});
    EXPECT_TRUE(images[0].local_only()) << name;
  }
}

TEST(DockerMajor, IsZeroForTextThatIsNoRelease) {
  EXPECT_EQ(cri::DockerMajor("20.10.24+dfsg1"), 20);
  EXPECT_EQ(cri::DockerMajor("28.5.1"), 28);
  EXPECT_EQ(cri::DockerMajor("29.0.0-rc.1"), 29);
  for (const char* text : {"", "dev", "library-import", "20", "20.", "20.x", "-20.1", "0.0.0-dev",
                           "99999999999.1", " 20.10"})
    EXPECT_EQ(cri::DockerMajor(text), 0) << text;
}

}  // namespace
}  // namespace imagesweep
