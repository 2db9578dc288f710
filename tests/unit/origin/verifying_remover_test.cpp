#include "agent/gc/remove/verifying_remover.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/images.h"
#include "tests/support/open_guard.h"

namespace imagesweep {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct Remover final : ImageRemover {
  Status BeginBatch(const std::vector<const Image*>& images, const std::stop_token&) override {
    for (const Image* image : images) done.push_back("begin " + image->display_name());
    return Done{};
  }
  std::string ReasonToSkip(const Image&) override { return "the other one's reason"; }
  Result<std::vector<ImageReference>> ReadNonCriContainers(const std::vector<std::string>& listed,
                                                           const std::stop_token&) override {
    done.push_back("containers beside " + listed.front());
    return std::vector<ImageReference>(1);
  }
  Result<Removal> Remove(const Image& image, DeletionGuard&, const std::stop_token&) override {
    done.push_back("remove " + image.display_name());
    return Removal::kRemoved;
  }
  std::vector<std::string> done;
};

struct Registry final : RegistryVerifier {
  Result<Origin> Verify(const Image& image, const std::stop_token&) override {
    asked.push_back(image.display_name());
    if (image.display_name() == has) return Origin{OriginKind::kRegistry, "it answered", {}};
    if (image.display_name() == vague) return image.origin;
    return Error{ErrorKind::kNotFound, "404 manifest unknown"};
  }
  std::string has, vague;
  std::vector<std::string> asked;
};

class VerifyingRemoverTest : public testing::Test {
 protected:
  Remover real_;
  Registry registry_;
  OpenGuard guard_;
  const Image a_ = Img("a", {"r.example/a:v1"}), b_ = Img("b", {"r.example/b:v1"});
};

TEST_F(VerifyingRemoverTest, RemovesOnlyImagesThatTheRegistryConfirms) {
  registry_.has = "r.example/a:v1";
  VerifyingRemover remover(real_, &registry_);
  EXPECT_TRUE(remover.BeginBatch({&a_, &b_}, {}));
  EXPECT_EQ(remover.ReasonToSkip(a_), "the other one's reason");
  EXPECT_THAT(remover.ReasonToSkip(b_), HasSubstr("404 manifest unknown (keep.verifyRegistry: "));
  EXPECT_TRUE(remover.Remove(a_, guard_, {}));
  EXPECT_FALSE(remover.Remove(b_, guard_, {}));
  EXPECT_THAT(real_.done, ElementsAre("begin r.example/a:v1", "remove r.example/a:v1"));
}

TEST_F(VerifyingRemoverTest, AnAnswerThatIsNotTheRegistrysDoesNotCount) {
  registry_.vague = "r.example/a:v1";  // pulled once, according to the node
  VerifyingRemover remover(real_, &registry_);
  EXPECT_TRUE(remover.BeginBatch({&a_}, {}));
  EXPECT_THAT(remover.ReasonToSkip(a_), HasSubstr("did not confirm"));
  EXPECT_FALSE(remover.Remove(a_, guard_, {}));
}

TEST_F(VerifyingRemoverTest, KeepsEverythingWithoutARegistryClient) {
  VerifyingRemover remover(real_, nullptr);
  EXPECT_TRUE(remover.BeginBatch({&a_}, {}));
  EXPECT_THAT(remover.ReasonToSkip(a_), HasSubstr("no registry client"));
  EXPECT_FALSE(remover.Remove(a_, guard_, {}));
  EXPECT_THAT(real_.done, IsEmpty());
}

TEST_F(VerifyingRemoverTest, KeepsImagesNotVerifiedInThisBatch) {
  registry_.has = "r.example/a:v1";
  VerifyingRemover remover(real_, &registry_);
  EXPECT_FALSE(remover.Remove(a_, guard_, {}));
  EXPECT_TRUE(remover.BeginBatch({&a_}, {}));
  EXPECT_TRUE(remover.BeginBatch({&b_}, {}));
  EXPECT_FALSE(remover.Remove(a_, guard_, {})) << "that answer was of an earlier batch";
  EXPECT_THAT(registry_.asked, ElementsAre("r.example/a:v1", "r.example/b:v1"));
}

// Otherwise the recheck would miss containers that the CRI does not list.
TEST_F(VerifyingRemoverTest, ForwardsOtherCallsToTheWrappedRemover) {
  VerifyingRemover remover(real_, &registry_);
  EXPECT_EQ(remover.ReadNonCriContainers({"c1"}, {})->size(), 1U);
  EXPECT_THAT(real_.done, ElementsAre("containers beside c1"));
}

}  // namespace
}  // namespace imagesweep
