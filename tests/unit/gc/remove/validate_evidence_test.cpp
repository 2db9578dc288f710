#include "agent/gc/remove/validate_evidence.h"

#include <gmock/gmock.h>

#include "tests/support/fake_node.h"

namespace imagesweep {
namespace {

using testing::HasSubstr;

struct ValidateEvidenceTest : testing::Test {
  std::optional<Refusal> Look(bool with_pods = true) {
    const ImageIndex index(node.images);
    PodEvidence pods = node.pods;
    pods.listed_at = listed_at;
    const EvidenceView view{node.images, index, node.use, with_pods ? &pods : nullptr};
    return ValidateEvidence(view, expected, clock.Steady());
  }
  FakeClock clock;
  FakeNode node{clock};
  Expectations expected;
  SteadyTime listed_at = clock.Steady();
};

TEST_F(ValidateEvidenceTest, AcceptsACompleteView) {
  EXPECT_FALSE(Look());
  expected.own_pod = OwnPod{"kube-system", "proxy", "uid-proxy"};
  EXPECT_FALSE(Look());
}

TEST_F(ValidateEvidenceTest, RefusesAndNamesTheSource) {
  struct Case {
    const char* why;
    std::function<void()> damage;
    const char* source;
    const char* says;
  };
  const Case cases[] = {
      {"empty pod list", [&] { node.pods.pods.clear(); }, "pods", "check --node-name"},
      {"old pod list", [&] { clock.Advance(Millis(10'001)); }, "pods", "too old"},
      {"own pod missing",
       [&] {
         expected.own_pod = OwnPod{"sweep", "agent-x", "u"};
       },
       "pods", "sweep/agent-x"},
      {"own pod replaced by another of its name",
       [&] {
         expected.own_pod = OwnPod{"kube-system", "proxy", "other-uid"};
       },
       "pods", "kube-system/proxy"},
      {"a sandbox nobody knows",
       [&] {
         node.use.ready_sandboxes.push_back({"shop", "ghost", "uid-g"});
       },
       "pods", "shop/ghost"},
      {"no containers though there are pods",
       [&] {
         node.use.containers = 0;
         node.use.references.clear();
       },
       "containers", "lists no containers"},
      {"own container missing",
       [&] {
         expected.own_pod = OwnPod{"kube-system", "proxy", "uid-proxy"};
         node.use.container_pods.clear();
       },
       "containers", "imagesweep's own container"},
      {"no container's image is listed", [&] { node.images = {Img("x", {"x:1"})}; }, "images",
       "none of the images of 1"},
      {"own image not listed",
       [&] {
         node.AddPod("sweep", "agent", "imagesweep:1");
         expected.own_pod = OwnPod{"sweep", "agent", "uid-agent"};
       },
       "images", "imagesweep's own image"},
      {"pause image unknown", [&] { node.use.sandbox_images.clear(); }, "sandboxes", "pause image"},
  };
  for (const auto& c : cases) {
    node = FakeNode(clock);
    expected = {};
    listed_at = clock.Steady();
    c.damage();
    const auto refusal = Look();
    ASSERT_TRUE(refusal) << c.why;
    EXPECT_EQ(refusal->source, c.source) << c.why;
    EXPECT_THAT(refusal->error.what, HasSubstr(c.says)) << c.why;
  }
}

TEST_F(ValidateEvidenceTest, AMirrorPodMatchesItsSandboxByName) {
  node.use.ready_sandboxes.push_back({"kube-system", "etcd", "hash-of-the-manifest"});
  node.pods.pods.push_back({"kube-system", "etcd", "uid-of-the-mirror-pod", true});
  EXPECT_FALSE(Look());
  // A StatefulSet's pod that came back under its name is another pod, possibly with another image.
  node.pods.pods.back().mirror = false;
  EXPECT_TRUE(Look());
}

TEST_F(ValidateEvidenceTest, AcceptsOnlyAPauseImageAsTheSandboxImage) {
  node.use.sandbox_images.clear();
  node.images.push_back(Img("p", {"rancher/mirrored-pause:3.6"}));
  EXPECT_FALSE(Look());
  node.images.back() = Img("p", {"acme/pausable-worker:1"});
  EXPECT_TRUE(Look());
  node.images.back().pinned = true;  // an image is pinned, but not necessarily this one
  EXPECT_TRUE(Look());
}

TEST_F(ValidateEvidenceTest, ChecksOnlyTheRuntimeWithoutKubernetes) {
  node.pods.pods.clear();
  EXPECT_FALSE(Look(/*with_pods=*/false));
  node.images = {Img("x", {"x:1"})};
  EXPECT_TRUE(Look(/*with_pods=*/false));
}

}  // namespace
}  // namespace imagesweep
