#include "agent/model/image_name.h"

#include <gtest/gtest.h>

#include "agent/model/image.h"

namespace imagesweep {
namespace {

struct NameCase {
  const char* text;
  const char* normalised;
  const char* repository;
  const char* tag;
  const char* digest;
};

const std::string kDigest = "sha256:" + std::string(64, 'a');

// Test cases in the style of github.com/distribution/reference, normalize_test.go.
TEST(ImageName, NormalisesLikeDistributionReference) {
  const std::string with_digest = "nginx@" + kDigest;
  const std::string tag_and_digest = "nginx:1.25@" + kDigest;
  const std::string normal_digest = "docker.io/library/nginx@" + kDigest;
  const NameCase cases[] = {
      {"nginx", "docker.io/library/nginx:latest", "docker.io/library/nginx", "latest", ""},
      {"nginx:1.25", "docker.io/library/nginx:1.25", "docker.io/library/nginx", "1.25", ""},
      {"shop/api:v1", "docker.io/shop/api:v1", "docker.io/shop/api", "v1", ""},
      {"docker.io/nginx", "docker.io/library/nginx:latest", "docker.io/library/nginx", "latest",
       ""},
      {"index.docker.io/shop/api", "docker.io/shop/api:latest", "docker.io/shop/api", "latest", ""},
      {"localhost/app", "localhost/app:latest", "localhost/app", "latest", ""},
      {"localhost:5000/app", "localhost:5000/app:latest", "localhost:5000/app", "latest", ""},
      {"registry.k8s.io/pause:3.6", "registry.k8s.io/pause:3.6", "registry.k8s.io/pause", "3.6",
       ""},
      {"index.docker.io/nginx", "docker.io/library/nginx:latest", "docker.io/library/nginx",
       "latest", ""},
      // containerd and Docker treat these as other registries
      {"registry-1.docker.io/nginx:1", "registry-1.docker.io/nginx:1", "registry-1.docker.io/nginx",
       "1", ""},
      {"Docker.io/nginx:1", "Docker.io/nginx:1", "Docker.io/nginx", "1", ""},
      {"Registry/app:1", "Registry/app:1", "Registry/app", "1", ""},
      {with_digest.c_str(), normal_digest.c_str(), "docker.io/library/nginx", "", kDigest.c_str()},
      {tag_and_digest.c_str(), normal_digest.c_str(), "docker.io/library/nginx", "",
       kDigest.c_str()},
  };
  for (const auto& c : cases) {
    const ImageName name = ImageName::Parse(c.text);
    EXPECT_EQ(name.text(), c.normalised);
    EXPECT_EQ(name.repository(), c.repository);
    EXPECT_EQ(name.tag(), c.tag);
    EXPECT_EQ(name.digest(), c.digest);
  }
}

TEST(ImageName, KeepsTextThatIsNoReferenceAsItIs) {
  for (const char* text :
       {"", "UPPER", "a b", "name:tag:tag", "name@sha256:zz", "x\ny", "<none>:<none>"}) {
    const ImageName name = ImageName::Parse(text);
    EXPECT_EQ(name.text(), text);
    EXPECT_EQ(name.tag(), "");
    EXPECT_EQ(name.digest(), "");
  }
}

TEST(ImageName, KnowsWhenNoRegistryWasNamed) {
  EXPECT_TRUE(ImageName::Parse("app:1").unqualified());
  EXPECT_EQ(ImageName::Parse("app:1").short_path(), "app");
  EXPECT_TRUE(ImageName::Parse("team/app:1").unqualified());
  EXPECT_EQ(ImageName::Parse("team/app:1").short_path(), "team/app");
  EXPECT_FALSE(ImageName::Parse("docker.io/library/app:1").unqualified());
  EXPECT_FALSE(ImageName::Parse("localhost/app:1").unqualified());
}

}  // namespace
}  // namespace imagesweep
