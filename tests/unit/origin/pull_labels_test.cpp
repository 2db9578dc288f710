#include "agent/runtime/containerd/pull_labels.h"

#include <gtest/gtest.h>

#include <map>

#include "agent/gc/observe/origins.h"
#include "agent/runtime/containerd/metadata_reader.h"
#include "tests/unit/runtime/containerd/fake_containerd.h"

namespace imagesweep::containerd {
namespace {

const std::string kSource = "containerd.io/distribution.source.";

std::string DigestOf(char digit) {
  return "sha256:" + std::string(64, digit);
}
const std::string kConfig = DigestOf('c'), kManifest = DigestOf('a'), kLayer = DigestOf('1');

// One image, as in the records. Its labels differ from test to test.
class PullLabelsTest : public testing::Test {
 protected:
  PullLabelsTest() {
    auto& its = space();
    its.blobs[kManifest] = {"{}",
                            {{"containerd.io/gc.ref.content.config", kConfig},
                             {"containerd.io/gc.ref.content.l.0", kLayer}}};
    its.blobs[kConfig] = {"{}", {}};
    its.blobs[kLayer] = {"x", {}};
  }
  FakeContainerd::Namespace& space() { return fake_.namespaces["k8s.io"]; }
  void Label(const std::string& host, const std::string& repositories) {
    space().blobs[kManifest].labels[kSource + host] = repositories;
  }
  // The origin of the image that has these records.
  Origin Of(std::initializer_list<std::string> records) {
    std::vector<Image> images(1);
    images[0].id = ImageId(kConfig);
    space().images.clear();
    for (const std::string& record : records) {
      space().images[record] = kManifest;
      if (record == kConfig) continue;
      ImageName name = ImageName::Parse(record);
      (name.digest().empty() ? images[0].tags : images[0].digests).push_back(std::move(name));
    }
    RealClock clock;
    MetadataReader metadata_reader(fake_.Channel(), clock);
    CachedGraphReader graph(metadata_reader, clock);
    PullLabels labels(graph);
    warnings_ = OriginJudge({&labels}).Fill(images, runtime_, {});
    return images[0].origin;
  }

  FakeContainerd fake_;
  RuntimeIdentity runtime_{"containerd", "1.7.24", "", 0};
  std::vector<std::string> warnings_;
};

TEST_F(PullLabelsTest, ALabelForTheRepositoryOfItsNameProvesAPull) {
  Label("docker.io", "library/nginx");
  const Origin origin =
      Of({kConfig, "docker.io/library/nginx:1.25", "docker.io/library/nginx@" + kManifest});
  EXPECT_EQ(origin.kind, OriginKind::kPulled);
  EXPECT_EQ(origin.pull_by, "docker.io/library/nginx@" + kManifest);
  EXPECT_NE(origin.evidence.find("docker.io/library/nginx"), std::string::npos) << origin.evidence;
}

TEST_F(PullLabelsTest, ThePortThatTheLabelDoesNotHaveIsThatOfTheName) {
  Label("127.0.0.1", "other/app,team/app");
  const std::string digest = "127.0.0.1:5000/team/app@" + kManifest;
  EXPECT_EQ(Of({"127.0.0.1:5000/team/app:v1", digest}).pull_by, digest);
}

// The import of an archive writes no label, with any of these names: its own, `--digests`,
// `--base-name`, and those of snapshotters and builders.
TEST_F(PullLabelsTest, NamesAloneProveNothing) {
  for (const char* made_up : {"import-2026-11-20", "overlayfs", "stargz", "moby-dangling",
                              "registry.example/team/airgap"}) {
    const Origin origin =
        Of({"registry.example/team/airgap:2.7.1", std::string(made_up) + "@" + kManifest});
    EXPECT_EQ(origin.kind, OriginKind::kUnknown) << made_up;
  }
  EXPECT_EQ(Of({"registry.example/team/airgap:2.7.1"}).kind, OriginKind::kLocal);
}

TEST_F(PullLabelsTest, ALabelForAnotherRepositoryDoesNotProveThisOne) {
  Label("docker.io", "library/nginx");
  EXPECT_EQ(Of({"registry.example/nginx:1", "registry.example/nginx@" + kManifest}).kind,
            OriginKind::kUnknown);
  EXPECT_EQ(Of({"docker.io/library/nginx:1", "docker.io/golden/nginx:1",
                "docker.io/library/nginx@" + kManifest})
                .kind,
            OriginKind::kUnknown)
      << "the second name would be lost";
}

TEST_F(PullLabelsTest, LabelsOfLayersAndOfOtherNamespacesProveNothing) {
  space().blobs[kLayer].labels[kSource + "docker.io"] = "library/nginx";
  space().blobs[kConfig].labels[kSource + "docker.io"] = "library/nginx";
  fake_.namespaces["moby"].blobs[kManifest] = {"{}", {{kSource + "docker.io", "library/nginx"}}};
  EXPECT_EQ(Of({"docker.io/library/nginx:1", "docker.io/library/nginx@" + kManifest}).kind,
            OriginKind::kUnknown);
}

TEST_F(PullLabelsTest, ProvesNothingWithoutTheContent) {
  Label("docker.io", "library/nginx");
  space().blobs.erase(kManifest);
  EXPECT_EQ(Of({"docker.io/library/nginx:1", "docker.io/library/nginx@" + kManifest}).kind,
            OriginKind::kUnknown);
}

// A removal that was killed between two records leaves the digest, or the journal restores it.
TEST_F(PullLabelsTest, TheDigestAloneIsProvedAndATagWithoutItIsNot) {
  Label("docker.io", "library/nginx");
  const std::string digest = "docker.io/library/nginx@" + kManifest;
  EXPECT_EQ(Of({digest}).pull_by, digest);
  EXPECT_FALSE(Of({"docker.io/library/nginx:1.25"}).can_be_pulled());
  EXPECT_FALSE(Of({kConfig}).can_be_pulled());
}

// Without a name and without its port, a registry on a bare host would look like a repository of
// docker.io.
TEST_F(PullLabelsTest, NoRepositoryOfDockerIoIsMadeUpFromABareHost) {
  Label("registry", "team/app");
  EXPECT_FALSE(Of({kConfig}).can_be_pulled());
  const std::string digest = "registry:5000/team/app@" + kManifest;
  EXPECT_EQ(Of({"registry:5000/team/app:v1", digest}).pull_by, digest);
}

TEST_F(PullLabelsTest, ContentThatCannotBeReadIsAWarningAndStaysUnknown) {
  Label("docker.io", "library/nginx");
  fake_.faults["Content.List"] = grpc::Status(grpc::StatusCode::UNAVAILABLE, "broken");
  Of({"docker.io/library/nginx:1", "docker.io/library/nginx@" + kManifest});
  EXPECT_EQ(warnings_.size(), 1U);
  fake_.faults["Version"] = grpc::Status(grpc::StatusCode::UNAVAILABLE, "away");
  EXPECT_EQ(Of({"docker.io/library/nginx:1", "docker.io/library/nginx@" + kManifest}).kind,
            OriginKind::kUnknown);
  EXPECT_EQ(warnings_.size(), 1U);
}

TEST_F(PullLabelsTest, ReadsNothingOnAnotherRuntime) {
  Label("docker.io", "library/nginx");
  runtime_.name = "docker";
  EXPECT_FALSE(Of({"docker.io/library/nginx:1"}).can_be_pulled());
  EXPECT_TRUE(fake_.asked.empty());
}

// Converters (`ctr images convert`) copy the labels of their input to their output, and record it
// under a tag.
TEST_F(PullLabelsTest, IgnoresALabelThatAConverterCopied) {
  Label("docker.io", "library/nginx");
  EXPECT_EQ(Of({kConfig, "docker.io/library/nginx:1.25-conv"}).kind, OriginKind::kLocal);
}

TEST_F(PullLabelsTest, IgnoresLabelsOnK3sWhichLabelsItsImports) {
  Label("docker.io", "library/nginx");
  runtime_.version = "2.1.4-k3s1";
  const std::string digest = "docker.io/library/nginx@" + kManifest;
  EXPECT_FALSE(Of({"docker.io/library/nginx:1.25", digest}).can_be_pulled());
  runtime_ = {"containerd", "1.7.24", "unix:///run/k3s/containerd/containerd.sock", 0};
  EXPECT_FALSE(Of({"docker.io/library/nginx:1.25", digest}).can_be_pulled());
}

}  // namespace
}  // namespace imagesweep::containerd
