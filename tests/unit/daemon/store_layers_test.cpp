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

// A container of Podman may be in a store that cannot be read for a moment.
TEST(StoreLayersTest, TellsAFailureOfTheStoreOfCrioFromAStoreThatIsNotThere) {
  FakeClock clock;
  FakeNode node{clock};
  node.identity = {"cri-o", "1.34.0", "unix:///run/crio/crio.sock", 7};
  store::MadeUpContainersStore crio;
  crio.AddLayer("base", "", 1000);
  crio.AddImage("app", "base");
  node.mountpoints = {crio.root().string() + "/overlay-images"};
  const auto layers = StoreLayers::OfCrio(node, clock);
  const auto failure = [&]() -> std::optional<ErrorKind> {
    const auto graph = layers->Read(crio.Images(), {});
    return graph ? std::nullopt : std::optional(graph.error().kind);
  };
  EXPECT_EQ(failure(), std::nullopt);
  for (const std::string call : {"ImageFilesystems", "Identity"}) {
    node.on_call = [&call](const std::string& now) {
      return now == call ? std::optional(Error{ErrorKind::kUnavailable, "away"}) : std::nullopt;
    };
    EXPECT_EQ(failure(), ErrorKind::kUnavailable) << call;
  }
  int failures = 1;
  node.on_call = [&failures](const std::string& now) {
    return now == "ImageFilesystems" && failures-- > 0
               ? std::optional(Error{ErrorKind::kInternal, "no such file"})
               : std::nullopt;
  };
  EXPECT_EQ(failure(), std::nullopt) << "a pull renamed a file that CRI-O measured";
  node.on_call = nullptr;
  Write(crio.root() / "overlay-images/images.json", "[{");
  EXPECT_EQ(failure(), ErrorKind::kIncomplete);
  node.mountpoints = {"/nowhere/overlay-images"};
  EXPECT_EQ(failure(), ErrorKind::kNotFound);
  node.mountpoints = {};
  EXPECT_EQ(failure(), ErrorKind::kNotFound);
}

TEST(StoreLayersTest, NeverFailsARunForTheFiguresOfDocker) {
  FakeClock clock;
  FakeNode node{clock};
  node.on_call = [](const std::string&) { return Error{ErrorKind::kUnavailable, "away"}; };
  const auto graph = StoreLayers::OfDocker(node, clock)->Read({}, {});
  ASSERT_FALSE(graph);
  EXPECT_EQ(graph.error().kind, ErrorKind::kNotFound);
}

}  // namespace
}  // namespace imagesweep
