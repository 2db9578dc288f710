#include "agent/daemon/cri_layers.h"

#include <gtest/gtest.h>

#include "tests/support/fake_layers.h"
#include "tests/support/fake_node.h"

namespace imagesweep {
namespace {

class CriLayersTest : public testing::Test {
 protected:
  void SetUp() override { containerd_.error = Error{ErrorKind::kNotFound, "no containerd"}; }
  ErrorKind Failure() {
    const auto graph = layers_.Read({}, {});
    EXPECT_FALSE(graph);
    return graph ? ErrorKind::kInternal : graph.error().kind;
  }
  FakeClock clock_;
  FakeNode node_{clock_};
  FakeLayers containerd_;
  CriLayers layers_{node_, containerd_, clock_};
};

TEST_F(CriLayersTest, KnowsNoLayersOfAnotherRuntime) {
  node_.identity.name = "docker";
  EXPECT_EQ(Failure(), ErrorKind::kNotFound);
}

TEST_F(CriLayersTest, PassesOnAFailureOfContainerd) {
  containerd_.error->kind = ErrorKind::kUnavailable;
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
