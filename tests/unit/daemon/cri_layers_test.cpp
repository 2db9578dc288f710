#include "agent/daemon/cri_layers.h"

#include <gtest/gtest.h>

#include "tests/support/fake_node.h"

namespace imagesweep {
namespace {

struct NoContainerd final : layers::LayerReader {
  Result<std::shared_ptr<const layers::LayerGraph>> Read(std::span<const Image>,
                                                         const std::stop_token&) override {
    return error;
  }
  Error error{ErrorKind::kNotFound, "unknown service containerd.services.images.v1.Images"};
};

class CriLayersTest : public testing::Test {
 protected:
  ErrorKind Failure() {
    const auto graph = layers_.Read({}, {});
    EXPECT_FALSE(graph);
    return graph ? ErrorKind::kInternal : graph.error().kind;
  }
  FakeClock clock_;
  FakeNode node_{clock_};
  NoContainerd containerd_;
  CriLayers layers_{node_, containerd_, clock_};
};

TEST_F(CriLayersTest, KnowsNoLayersOfAnotherRuntime) {
  node_.identity.name = "docker";
  EXPECT_EQ(Failure(), ErrorKind::kNotFound);
}

TEST_F(CriLayersTest, PassesOnAFailureOfContainerd) {
  containerd_.error.kind = ErrorKind::kUnavailable;
  EXPECT_EQ(Failure(), ErrorKind::kUnavailable);
}

// It may be CRI-O, whose store has more containers.
TEST_F(CriLayersTest, PassesOnTheFailureToFindOutWhichRuntimeItIs) {
  node_.on_call = [](const std::string&) { return Error{ErrorKind::kUnavailable, "away"}; };
  EXPECT_EQ(Failure(), ErrorKind::kUnavailable);
}

TEST_F(CriLayersTest, PassesOnAFailureOfTheStoreOfCrio) {
  node_.identity.name = "cri-o";
  node_.on_call = [](const std::string& call) {
    return call == "ImageFilesystems" ? std::optional(Error{ErrorKind::kUnavailable, "away"})
                                      : std::nullopt;
  };
  EXPECT_EQ(Failure(), ErrorKind::kUnavailable);
}

}  // namespace
}  // namespace imagesweep
