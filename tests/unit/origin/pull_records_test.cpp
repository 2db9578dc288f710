#include "agent/kube/pods/pull_records.h"

#include <gtest/gtest.h>

#include <fstream>

#include "agent/gc/observe/origins.h"
#include "tests/support/images.h"

namespace imagesweep::kube {
namespace {

class PullRecordsTest : public testing::Test {
 public:
  ~PullRecordsTest() override { std::filesystem::remove_all(directory_); }

 protected:
  PullRecordsTest() {
    std::string name = testing::TempDir() + "/kubelet-XXXXXX";
    directory_ = mkdtemp(name.data());
    std::filesystem::create_directories(pulled());
  }
  std::filesystem::path pulled() const { return directory_ / "image_manager" / "pulled"; }

  void Write(const std::string& file, const std::string& text) {
    std::ofstream(pulled() / file) << text;
  }
  // As the kubelet writes it.
  void Record(const std::string& image_ref, const std::string& mapping) {
    Write("sha256-" + std::to_string(++records_),
          R"({"kind":"ImagePulledRecord","apiVersion":"kubelet.config.k8s.io/v1beta1",)"
          R"("lastUpdatedTime":"2026-11-20T12:26:40Z","imageRef":")" +
              image_ref + R"(","credentialMapping":)" + mapping + "}");
  }
  Origin Of(Image image) {
    PullRecords records(directory_);
    std::vector<Image> images{std::move(image)};
    warnings_ = OriginJudge({&records}).Fill(images, {"cri-o", "1.34.0", "", 0}, {});
    return images[0].origin;
  }

  std::filesystem::path directory_;
  const Image image_ = Img("a", {"shop.example/app:v1"});
  std::vector<std::string> warnings_;
  int records_ = 0;
};

constexpr const char* kBySecret =
    R"({"shop.example/app":{"kubernetesSecrets":[{"uid":"u","namespace":"n","name":"s","credentialHash":"h"}]}})";

TEST_F(PullRecordsTest, ARecordWithCredentialsProvesAPullOfItsRepository) {
  for (
      const char* mapping :
      {kBySecret, R"({"shop.example/app":{"nodePodsAccessible":true}})",
       R"({"shop.example/app":{"kubernetesServiceAccounts":[{"uid":"u","namespace":"n","name":"s"}]}})"}) {
    std::filesystem::remove(pulled() / "sha256-1");
    records_ = 0;
    Record(image_.id.text(), mapping);
    const Origin origin = Of(image_);
    EXPECT_EQ(origin.kind, OriginKind::kPulled) << mapping;
    EXPECT_EQ(origin.pull_by, image_.digests[0].text());
    EXPECT_EQ(origin.evidence, "the kubelet's record of its pull of shop.example/app");
    EXPECT_TRUE(warnings_.empty());
  }
}

TEST_F(PullRecordsTest, TheReferenceMayBeABareIdOrARepoDigest) {
  Record(image_.id.text().substr(7), kBySecret);
  EXPECT_TRUE(Of(image_).can_be_pulled());
  std::filesystem::remove(pulled() / "sha256-1");
  Record(image_.digests[0].text(), kBySecret);
  EXPECT_TRUE(Of(image_).can_be_pulled());
}

// When the kubelet starts, it also records images that it intended to pull and finds on the node,
// with an empty mapping. Anything may have brought them there.
TEST_F(PullRecordsTest, ARecordWithoutCredentialsProvesNothing) {
  for (const char* mapping : {"{}", "null", R"({"shop.example/app":{}})",
                              R"({"shop.example/app":{"kubernetesSecrets":[]}})",
                              R"({"shop.example/app":{"nodePodsAccessible":false}})"}) {
    std::filesystem::remove(pulled() / "sha256-1");
    records_ = 0;
    Record(image_.id.text(), mapping);
    EXPECT_EQ(Of(image_).kind, OriginKind::kUnknown) << mapping;
    EXPECT_TRUE(warnings_.empty()) << mapping;
  }
}

TEST_F(PullRecordsTest, ARecordOfAnotherImageOrRepositoryProvesNothing) {
  Record(Id("other"), kBySecret);
  EXPECT_FALSE(Of(image_).can_be_pulled());
  Record(image_.id.text(), R"({"mirror.example/app":{"nodePodsAccessible":true}})");
  EXPECT_FALSE(Of(image_).can_be_pulled());
}

TEST_F(PullRecordsTest, ProvesNothingWhenARepositoryHasTwoDigests) {
  Record(image_.id.text(), kBySecret);
  Image image = image_;
  image.digests.push_back(ImageName::Parse("shop.example/app@" + Id("second")));
  EXPECT_FALSE(Of(image).can_be_pulled());
}

TEST_F(PullRecordsTest, HasNoEvidenceAndNoWarningWithoutTheDirectory) {
  std::filesystem::remove_all(directory_ / "image_manager");
  EXPECT_EQ(Of(image_).kind, OriginKind::kUnknown);
  EXPECT_TRUE(warnings_.empty());
}

TEST_F(PullRecordsTest, ADamagedRecordIsAWarningAndTheOthersCount) {
  Record(image_.id.text(), kBySecret);
  Write("sha256-cut",
        R"({"kind":"ImagePulledRecord","apiVersion":"kubelet.config.k8s.io/v1beta1")");
  EXPECT_TRUE(Of(image_).can_be_pulled());
  EXPECT_EQ(warnings_.size(), 1U);
}

TEST_F(PullRecordsTest, IgnoresFilesThatAreNoPullRecords) {
  Write("sha256-1.tmp", "half");  // being written
  Write("README", "text");
  EXPECT_FALSE(Of(image_).can_be_pulled());
  EXPECT_TRUE(warnings_.empty());
  Write("sha256-1",
        R"({"kind":"ImagePullIntent","apiVersion":"kubelet.config.k8s.io/v1beta1","image":"a"})");
  Write("sha256-2", std::string(std::size_t{300} << 10, ' '));
  EXPECT_FALSE(Of(image_).can_be_pulled());
  EXPECT_EQ(warnings_.size(), 1U);
}

TEST_F(PullRecordsTest, ADirectoryThatCannotBeReadIsAWarning) {
  std::filesystem::remove_all(pulled());
  std::ofstream(pulled()) << "a file in its place";
  EXPECT_FALSE(Of(image_).can_be_pulled());
  EXPECT_EQ(warnings_.size(), 1U);
}

}  // namespace
}  // namespace imagesweep::kube
