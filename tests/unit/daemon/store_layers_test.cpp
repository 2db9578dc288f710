#include "agent/daemon/store_layers.h"

#include <gmock/gmock.h>

#include "tests/support/fake_node.h"
#include "tests/unit/runtime/store/made_up_store.h"

namespace imagesweep {
namespace {

using store::Hex;
using store::Quoted;
using store::Write;
using testing::HasSubstr;
using testing::IsEmpty;

// A node whose /run is `run`, as a pod sees it below /host.
TEST(StoreLayersTest, ReadsTheTransientContainersOfCrioBesideItsSocket) {
  FakeClock clock;
  FakeNode node{clock};
  store::MadeUpContainersStore crio;
  crio.AddLayer("base", "", 1000);
  crio.AddImage("app", "base");
  node.mountpoints = {crio.root().string() + "/overlay-images"};
  const store::Scratch host;
  Write(host.path() / "run/containers/storage/overlay-containers/volatile-containers.json",
        "[{\"id\":" + Quoted(Hex("c")) + ",\"image\":" + Quoted(Hex("app")) +
            ",\"layer\":" + Quoted(Hex("base")) + R"(,"metadata":"{\"name\":\"toolbox\"}"}])");
  const auto why_unknown = [&](const std::string& endpoint) {
    node.identity = {"cri-o", "1.34.0", endpoint, 7};
    const auto graph = StoreLayers::OfCrio(node, clock)->Read(crio.Images(), {});
    EXPECT_TRUE(graph) << graph.error().what;
    return graph ? (*graph)->WhyMountsAreUnknown() : std::string();
  };
  EXPECT_THAT(why_unknown("unix://" + host.path().string() + "/run/crio/crio.sock"),
              HasSubstr("made by Podman"));
  EXPECT_THAT(why_unknown("unix://" + host.path().string() + "/crio.sock"), IsEmpty())
      << "the run root is not known";
}

}  // namespace
}  // namespace imagesweep
