#include "agent/runtime/containerd/image_remover.h"

#include <gmock/gmock.h>

#include "agent/runtime/containerd/metadata_reader.h"
#include "agent/runtime/containerd/name_restorer.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_node.h"
#include "tests/support/open_guard.h"
#include "tests/unit/runtime/containerd/fake_containerd.h"

namespace imagesweep::containerd {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string DigestOf(char digit) {
  return "sha256:" + std::string(64, digit);
}

// containerd with two images, app and other, with one layer each.
struct ImageRemoverTest : testing::Test {
  ImageRemoverTest() {
    node.images = {Make("app", '1'), Make("other", '2')};
    node.identity.version = "v2.1.9";
  }
  Image Make(const std::string& name, char digit) {
    const std::string manifest = DigestOf(digit);
    const std::string config = DigestOf(static_cast<char>(digit + 2));
    auto& space = fake.namespaces["k8s.io"];
    for (const std::string& record :
         {"registry.example/" + name + ":v1", "registry.example/" + name + "@" + manifest, config})
      space.images[record] = manifest;
    space.blobs[manifest] = {"{}", {{"containerd.io/gc.ref.content.config", config}}};
    space.blobs[config] = {R"({"rootfs": {"diff_ids": []}, "history": []})", {}};
    Image image;
    image.id = ImageId(config);
    image.tags = {ImageName::Parse("registry.example/" + name + ":v1")};
    return image;
  }
  // One index has both, so the record of app also belongs to the new image.
  void AnotherComesBesideApp() {
    fake.namespaces["k8s.io"].blobs[DigestOf('8')] = {
        "{}",
        {{"containerd.io/gc.ref.content.m.0", DigestOf('1')},
         {"containerd.io/gc.ref.content.m.1", DigestOf('7')}}};
    node.images.push_back(Make("new", '7'));
    records()["registry.example/app:v1"] = DigestOf('8');
  }
  // Mounts the layers of app, if it has any, without a container: `ctr images mount`.
  void MountCame() {
    auto& space = fake.namespaces["k8s.io"];
    space.snapshots["mount"].parent = "top";
    space.snapshots["mount"].kind = api::snapshots::VIEW;
  }
  // A container started by hand with the name of the other image, on the layers of app if it has
  // any.
  void ContainerCame() {
    auto& space = fake.namespaces["k8s.io"];
    space.snapshots["own"].parent = "top";
    space.snapshots["own"].kind = api::snapshots::ACTIVE;
    space.containers["by-hand"] = "registry.example/other:v1";
    space.container_snapshots["by-hand"] = "own";
  }
  void AppHasLayers() {
    auto& space = fake.namespaces["k8s.io"];
    space.blobs[node.images[0].id.text()].labels["containerd.io/gc.ref.snapshot.overlayfs"] = "top";
    space.snapshots["top"] = {};
  }
  Status Begin(std::vector<const Image*> images) { return remover.BeginBatch(images, stop); }
  std::map<std::string, std::string>& records() { return fake.namespaces["k8s.io"].images; }

  FakeClock clock;
  FakeNode node{clock};
  FakeContainerd fake;
  MetadataReader metadata_reader{fake.Channel(), clock};
  CachedGraphReader layers{metadata_reader, clock};
  BatchImageRemover remover{fake.Channel(), node, layers, node, clock, {}};
  OpenGuard guard;
  std::stop_token stop;
};

TEST_F(ImageRemoverTest, AllRecordsGoTagsLastAndTheGarbageIsCollectedOnce) {
  const auto& [app, other] = std::tie(node.images[0], node.images[1]);
  ASSERT_TRUE(Begin({&app, &other}));
  EXPECT_EQ(*remover.Remove(app, guard, stop), Removal::kRemoved);
  EXPECT_EQ(*remover.Remove(other, guard, stop), Removal::kRemoved);
  ASSERT_TRUE(remover.Reclaim(stop));
  EXPECT_THAT(fake.changed, ElementsAre("delete registry.example/app@" + DigestOf('1'),
                                        "delete " + DigestOf('3'), "delete registry.example/app:v1",
                                        "delete registry.example/other@" + DigestOf('2'),
                                        "delete " + DigestOf('4'),
                                        "delete registry.example/other:v1", "collect"));
  EXPECT_THAT(node.removed, IsEmpty()) << "nothing by the CRI";
  EXPECT_THAT(fake.namespaces["k8s.io"].leases, IsEmpty());
}

TEST_F(ImageRemoverTest, CollectsNothingWhenNothingWasRemoved) {
  ASSERT_TRUE(Begin({&node.images[0]}));
  ASSERT_TRUE(remover.Reclaim(stop));
  EXPECT_THAT(fake.changed, IsEmpty());
}

TEST_F(ImageRemoverTest, ADeletionWhoseAnswerWasLostIsCollectedAndOneThatWasDeniedIsNot) {
  for (const auto& [code, collected] : {std::pair{grpc::StatusCode::DEADLINE_EXCEEDED, true},
                                        std::pair{grpc::StatusCode::UNKNOWN, true},
                                        std::pair{grpc::StatusCode::PERMISSION_DENIED, false}}) {
    fake.changed.clear();
    ASSERT_TRUE(Begin({&node.images[0]}));
    fake.faults = {{"Images.Delete", {code, "no answer"}}};
    EXPECT_FALSE(remover.Remove(node.images[0], guard, stop));
    fake.faults.clear();
    ASSERT_TRUE(remover.Reclaim(stop));
    EXPECT_EQ(fake.changed.size(), collected ? 1U : 0U) << code;
  }
}

// Between the list and the call, a pull may give the name to another image.
TEST_F(ImageRemoverTest, ANameThatMovedOnIsNotDeleted) {
  for (const bool checks_target : {true, false}) {
    node.identity.version = checks_target ? "2.0.0" : "1.7.24";
    fake.checks_target = checks_target;
    node.images = {Make("app", '1')};
    const Image app = node.images[0];
    ASSERT_TRUE(Begin({&app}));
    records()["registry.example/app:v1"] = DigestOf('9');
    const auto removed = remover.Remove(app, guard, stop);
    ASSERT_FALSE(removed) << node.identity.version;
    EXPECT_THAT(removed.error().what, HasSubstr("registry.example/app:v1 now refers to another"));
    EXPECT_EQ(records().at("registry.example/app:v1"), DigestOf('9')) << node.identity.version;
  }
}

TEST_F(ImageRemoverTest, ARecordThatIsGoneAlreadyIsNoError) {
  ASSERT_TRUE(Begin({&node.images[0]}));
  records().erase("registry.example/app:v1");
  EXPECT_TRUE(remover.Remove(node.images[0], guard, stop));
}

TEST_F(ImageRemoverTest, RemovesByTheCriWhenTheRecordsAreUnclear) {
  struct Case {
    const char* why;
    std::function<void()> change;
  };
  const Case cases[] = {
      {"no record of it is found", [&] { records().clear(); }},
      {"its record may be another image's too",
       [&] {
         fake.namespaces["k8s.io"].blobs[DigestOf('8')] = {
             "{}",
             {{"containerd.io/gc.ref.content.m.0", DigestOf('1')},
              {"containerd.io/gc.ref.content.m.1", DigestOf('2')}}};
         records()["registry.example/app:v1"] = DigestOf('8');
       }},
  };
  for (const Case& c : cases) {
    fake.namespaces.clear();
    fake.changed.clear();
    node.removed.clear();
    node.images = {Make("app", '1'), Make("other", '2')};
    c.change();
    const Image app = node.images[0];
    ASSERT_TRUE(Begin({&app})) << c.why;
    ASSERT_TRUE(remover.Remove(app, guard, stop)) << c.why;
    EXPECT_THAT(node.removed, ElementsAre(app.id.text())) << c.why;
    EXPECT_THAT(fake.changed, IsEmpty()) << c.why;
  }
}

// The observation of a run serves its batches for two seconds. The users of an image are always
// read again.
TEST_F(ImageRemoverTest, ReusesContentReadWithinTwoSeconds) {
  int reads = 0, looks = 0;
  fake.on_call = [&](const std::string& method) {
    reads += method == "Content.List" ? 1 : 0;
    looks += method == "Containers.ListStream" ? 1 : 0;
  };
  const auto held = layers.Read(node.images, stop);
  ASSERT_TRUE(held);
  const int first = std::exchange(looks, 0);
  ASSERT_EQ(std::exchange(reads, 0), 1);
  clock.Advance(Millis(1'900));
  ASSERT_TRUE(Begin({&node.images[0]}));
  ASSERT_TRUE(remover.Remove(node.images[0], guard, stop));
  clock.Advance(Millis(100));
  ASSERT_TRUE(Begin({&node.images[1]}));
  EXPECT_EQ(reads, 0);
  EXPECT_EQ(looks, 2);
  EXPECT_EQ(fake.changed.size(), 3U) << "all records of the first are known";

  clock.Advance(Millis(1));
  ASSERT_TRUE(Begin({&node.images[1]}));
  EXPECT_EQ(std::exchange(reads, 0), 1) << "too old";
  EXPECT_EQ(looks, 3 + first);
}

TEST_F(ImageRemoverTest, ReadsContentAgainAfterAPull) {
  const auto held = layers.Read(node.images, stop);
  ASSERT_TRUE(held);
  AnotherComesBesideApp();
  const Image app = node.images[0];
  ASSERT_TRUE(Begin({&app}));
  ASSERT_TRUE(remover.Remove(app, guard, stop));
  EXPECT_THAT(fake.changed, IsEmpty()) << "by the CRI";
}

TEST_F(ImageRemoverTest, ReadsContentAgainWhenTheRecheckFindsANewImage) {
  const auto held = layers.Read(node.images, stop);
  ASSERT_TRUE(held);
  const Image app = node.images[0], other = node.images[1];
  ASSERT_TRUE(Begin({&app, &other}));
  EXPECT_TRUE(remover.StillHolds(node.images));
  AnotherComesBesideApp();
  EXPECT_FALSE(remover.StillHolds(node.images));
  ASSERT_TRUE(Begin({&app, &other}));
  EXPECT_TRUE(remover.StillHolds(node.images));
  ASSERT_TRUE(remover.Remove(app, guard, stop));
  EXPECT_THAT(fake.changed, IsEmpty()) << "by the CRI";
}

TEST_F(ImageRemoverTest, SkipsTheImageOfANewContainer) {
  const auto held = layers.Read(node.images, stop);
  ASSERT_TRUE(held);
  fake.namespaces["k8s.io"].containers["by-hand"] = "registry.example/app:v1";
  ASSERT_TRUE(Begin({&node.images[0], &node.images[1]}));
  EXPECT_THAT(remover.ReasonToSkip(node.images[0]), HasSubstr("by-hand"));
  EXPECT_EQ(remover.ReasonToSkip(node.images[1]), "");
}

TEST_F(ImageRemoverTest, SkipsTheImageOfItsLayersWhenTheNameOfAContainerMoved) {
  AppHasLayers();
  const auto before = layers.Read(node.images, stop);
  for (const bool newer_than_the_graph : {true, false}) {
    if (!newer_than_the_graph) layers.Forget();
    ContainerCame();
    ASSERT_TRUE(Begin({&node.images[0], &node.images[1]}));
    EXPECT_THAT(remover.ReasonToSkip(node.images[0]), HasSubstr("by-hand"));
    EXPECT_THAT(remover.ReasonToSkip(node.images[1]), HasSubstr("by-hand")) << "what it names";
  }
}

TEST_F(ImageRemoverTest, SkipsTheImageOfAMountThatCameAfterThePlan) {
  AppHasLayers();
  ASSERT_TRUE(layers.Read(node.images, stop));
  MountCame();
  clock.Advance(std::chrono::seconds(3));  // a batch may use what was read two seconds before
  ASSERT_TRUE(Begin({&node.images[0], &node.images[1]}));
  EXPECT_THAT(remover.ReasonToSkip(node.images[0]), HasSubstr("snapshot mount"));
  EXPECT_EQ(remover.ReasonToSkip(node.images[1]), "");
}

// An unread snapshot may be a mount. Without its content, the image of a mount is unknown.
TEST_F(ImageRemoverTest, FailsToBeginABatchWhileTheImagesOfMountsAreUnknown) {
  AppHasLayers();
  MountCame();
  for (const char* call : {"Snapshots.List", "Plugins", "Content.List"}) {
    layers.Forget();
    fake.faults = {{call, {grpc::StatusCode::UNAVAILABLE, "busy"}}};
    const auto begun = Begin({&node.images[0], &node.images[1]});
    ASSERT_FALSE(begun) << call;
    EXPECT_THAT(begun.error().what, HasSubstr(call));
  }
  layers.Forget();
  fake.namespaces["k8s.io"].snapshots.erase("mount");
  EXPECT_TRUE(Begin({&node.images[0]})) << "only content is unread, and nothing is mounted";
}

TEST_F(ImageRemoverTest, SkipsTheNamedImageOfAContainerWithoutASnapshot) {
  AppHasLayers();
  ContainerCame();
  fake.namespaces["k8s.io"].snapshots.erase("own");
  ASSERT_TRUE(Begin({&node.images[0], &node.images[1]}));
  EXPECT_EQ(remover.ReasonToSkip(node.images[0]), "");
  EXPECT_THAT(remover.ReasonToSkip(node.images[1]), HasSubstr("by-hand"));

  const auto before = layers.Read(node.images, stop);
  ContainerCame();
  fake.faults = {
      {"Snapshots.Stat", {grpc::StatusCode::INVALID_ARGUMENT, "snapshotter not loaded: stargz"}}};
  ASSERT_TRUE(Begin({&node.images[0], &node.images[1]}));
  EXPECT_EQ(remover.ReasonToSkip(node.images[0]), "");
}

TEST_F(ImageRemoverTest, AnImageThatIsGoneBeforeTheBatchIsNotRemovedShouldItComeBack) {
  const Image app = node.images[0];
  node.images.erase(node.images.begin());
  ASSERT_TRUE(Begin({&app}));
  EXPECT_EQ(remover.ReasonToSkip(app), "the image is already gone");
}

// The unread part concerns the content of an image. Its holders are known, unless they hold it only
// by its layers.
TEST_F(ImageRemoverTest, RemovesByTheCriWhenContentIsPartlyUnreadable) {
  fake.faults = {{"Content.List", {grpc::StatusCode::UNAVAILABLE, "busy"}}};
  fake.namespaces["k8s.io"].containers["by-hand"] = "registry.example/other:v1";
  const Image app = node.images[0];
  ASSERT_TRUE(Begin({&app, &node.images[1]}));
  EXPECT_THAT(remover.ReasonToSkip(node.images[1]), HasSubstr("by-hand"));
  ASSERT_TRUE(remover.Remove(app, guard, stop));
  EXPECT_THAT(node.removed, ElementsAre(app.id.text()));
  EXPECT_THAT(fake.changed, IsEmpty());

  AppHasLayers();
  ContainerCame();
  const auto begun = Begin({&node.images[0]});
  ASSERT_FALSE(begun);
  EXPECT_THAT(begun.error().what, HasSubstr("the image of its container by-hand"));
}

TEST_F(ImageRemoverTest, SizesBatchesByTheWayOfRemoval) {
  EXPECT_EQ(remover.batch_size(), 50U);
  node.batch = 4;
  auto graph = layers.Read(node.images, stop);
  EXPECT_EQ(remover.batch_size(), 50U);
  fake.faults = {{"Content.List", {grpc::StatusCode::UNAVAILABLE, "busy"}}};
  graph = layers.Read(node.images, stop);
  EXPECT_EQ(remover.batch_size(), 4U);
}

// containerd issue 7698
TEST_F(ImageRemoverTest, RemovesANameThatTheCriDoesNotKnowAfterRenamingIt) {
  records()["import-2025-01-01@" + DigestOf('1')] = DigestOf('1');
  const Image app = node.images[0];
  ASSERT_TRUE(Begin({&app}));
  ASSERT_TRUE(remover.Remove(app, guard, stop));
  EXPECT_THAT(fake.changed,
              ElementsAre("create docker.io/library/import-2025-01-01@" + DigestOf('1'),
                          "delete import-2025-01-01@" + DigestOf('1')));
  EXPECT_THAT(node.removed, ElementsAre(app.id.text()));
}

TEST_F(ImageRemoverTest, ABatchWaitsForDownloadsButNotForDeadOnes) {
  auto& downloads = fake.namespaces["k8s.io"].downloads;
  downloads["layer-sha256:aa"] = clock.Now() - std::chrono::hours(3);
  const SteadyTime begun = clock.Steady();
  ASSERT_TRUE(Begin({&node.images[0]}));
  EXPECT_EQ(clock.Steady(), begun) << "nobody writes to it any more";

  downloads["layer-sha256:bb"] = clock.Now();
  fake.on_call = [&](const std::string& method) {
    if (method == "Content.ListStatuses" && clock.Steady() - begun > std::chrono::seconds(5))
      downloads.erase("layer-sha256:bb");
  };
  ASSERT_TRUE(Begin({&node.images[0]}));
  EXPECT_GT(clock.Steady() - begun, std::chrono::seconds(5));

  const auto held = layers.Read(node.images, stop);
  ASSERT_TRUE(held);
  int reads = 0;
  downloads["layer-sha256:bb"] = clock.Now();
  fake.on_call = [&, lists = 0](const std::string& method) mutable {
    reads += method == "Content.List" ? 1 : 0;
    if (method == "Content.ListStatuses" && ++lists == 2) downloads.erase("layer-sha256:bb");
  };
  ASSERT_TRUE(Begin({&node.images[0]}));
  EXPECT_EQ(reads, 1) << "what came is not in what was read before";
}

// A download that never ends, and overlapping downloads one after the other.
TEST_F(ImageRemoverTest, ARunWaitsForDownloadsForThirtySecondsInAllAndThenGoesByTheCri) {
  node.batch = 3;
  node.images.push_back(Make("third", '5'));
  auto& downloads = fake.namespaces["k8s.io"].downloads;
  downloads = {{"layer-0", clock.Now()}};
  for (const bool overlapping : {false, true}) {
    const Image image = node.images[0];
    int lists = 0;
    fake.on_call = [&](const std::string& method) {
      if (method != "Content.ListStatuses") return;
      downloads = {{"layer-" + std::to_string(overlapping ? ++lists / 8 : 0), clock.Now()}};
    };
    remover.BeginRun();
    const SteadyTime begun = clock.Steady();
    ASSERT_TRUE(Begin({&image}));
    EXPECT_GE(clock.Steady() - begun, std::chrono::seconds(30));
    EXPECT_LT(clock.Steady() - begun, std::chrono::seconds(31));
    EXPECT_EQ(remover.in_flight(), 1U) << "one by one";
    EXPECT_EQ(remover.batch_size(), node.batch);
    ASSERT_TRUE(remover.Remove(image, guard, stop));
    EXPECT_EQ(node.removed.back(), image.id.text()) << "by the CRI";
    EXPECT_THAT(fake.changed, IsEmpty());
    ASSERT_TRUE(remover.Reclaim(stop));
    EXPECT_THAT(fake.changed, IsEmpty()) << "no collection beside a download";

    const SteadyTime again = clock.Steady();
    ASSERT_TRUE(Begin({&node.images[0]}));
    EXPECT_EQ(clock.Steady(), again) << "the time of this run is used up";
  }
  fake.on_call = [](const std::string&) {};
  downloads.clear();
  ASSERT_TRUE(Begin({&node.images[0]}));
  EXPECT_EQ(remover.in_flight(), 4U) << "it is quiet again";
}

TEST_F(ImageRemoverTest, ARecordThatWouldOutliveItsImageIsRenamedBesideADownloadToo) {
  records()["import-2025-01-01@" + DigestOf('1')] = DigestOf('1');
  const Image app = node.images[0];
  auto& downloads = fake.namespaces["k8s.io"].downloads;
  downloads = {{"layer", clock.Now()}};
  fake.on_call = [&](const std::string&) { downloads = {{"layer", clock.Now()}}; };
  ASSERT_TRUE(Begin({&app}));
  ASSERT_TRUE(remover.Remove(app, guard, stop));
  EXPECT_THAT(fake.changed,
              ElementsAre("create docker.io/library/import-2025-01-01@" + DigestOf('1'),
                          "delete import-2025-01-01@" + DigestOf('1')));
  EXPECT_THAT(node.removed, ElementsAre(app.id.text()));
}

TEST_F(ImageRemoverTest, FailsToBeginABatchWhenContainerdCannotBeRead) {
  const grpc::Status busy{grpc::StatusCode::UNAVAILABLE, "restarting"};
  for (const char* call :
       {"Content.ListStatuses", "Namespaces.List", "Images.List", "Containers.ListStream"}) {
    fake.faults = {{call, busy}};
    EXPECT_FALSE(Begin({&node.images[0]})) << call;
  }
  // The users of an image are read even if everything else is cached.
  for (const char* call : {"Content.ListStatuses", "Containers.ListStream", "Snapshots.Stat"}) {
    fake.faults.clear();
    fake.namespaces["k8s.io"].snapshots.erase("own");
    const auto known = layers.Read(node.images, stop);
    ContainerCame();
    fake.faults = {{call, busy}};
    EXPECT_FALSE(Begin({&node.images[0]})) << call;
  }
  fake.faults.clear();
  for (const char* call : {"ListImages", "ReadUse"}) {
    node.on_call = [&](const std::string& name) -> std::optional<Error> {
      if (name == call) return Error{ErrorKind::kUnavailable, "restarting"};
      return std::nullopt;
    };
    EXPECT_FALSE(Begin({&node.images[0]})) << call;
  }
}

TEST_F(ImageRemoverTest, ReportsFaults) {
  ASSERT_TRUE(Begin({&node.images[0]}));
  fake.faults = {{"Images.Delete", {grpc::StatusCode::UNAVAILABLE, "restarting"}}};
  EXPECT_THAT(remover.Remove(node.images[0], guard, stop).error().what, HasSubstr("restarting"));
  fake.faults = {{"Leases.Delete", {grpc::StatusCode::UNAVAILABLE, "restarting"}}};
  EXPECT_TRUE(remover.Remove(node.images[0], guard, stop));
  EXPECT_THAT(remover.Reclaim(stop).error().what, HasSubstr("Leases.Delete"));
  fake.faults.clear();
  ASSERT_TRUE(Begin({&node.images[1]}));
  ASSERT_TRUE(remover.Reclaim(stop));
  EXPECT_EQ(fake.changed.back(), "collect") << "what could not be collected then";
}

// containerd issue 8848: the CRI knows the image by its domain, and adds no tag.
TEST_F(ImageRemoverTest, RenamesANameWithoutDomainAndTagForTheCri) {
  records()["myalpine"] = DigestOf('1');
  const Image app = node.images[0];
  ASSERT_TRUE(Begin({&app}));
  ASSERT_TRUE(remover.Remove(app, guard, stop));
  EXPECT_THAT(fake.changed, ElementsAre("create docker.io/library/myalpine", "delete myalpine"));
  EXPECT_THAT(node.removed, ElementsAre(app.id.text()));
}

TEST_F(ImageRemoverTest, UndoesARenameWhenTheGuardKeepsTheImage) {
  records()["myalpine"] = DigestOf('1');
  const auto before = records();
  const Image app = node.images[0];
  ASSERT_TRUE(Begin({&app}));
  guard.why = "came into use";
  EXPECT_EQ(*remover.Remove(app, guard, stop), Removal::Skipped("came into use"));
  EXPECT_EQ(records(), before);
  EXPECT_THAT(node.removed, IsEmpty());
}

// A container appears while 400 names are deleted, so they are restored.
TEST_F(ImageRemoverTest, AUseThatAppearsBetweenTwoNamesGivesAllOfThemBack) {
  for (int i = 0; i < 400; ++i)
    records()["registry.example/app:t" + std::to_string(i)] = DigestOf('1');
  const auto before = records();
  const Image app = node.images[0];
  ASSERT_TRUE(Begin({&app}));
  fake.on_call = [&](const std::string& method) {
    if (method == "Images.Delete") guard.why = "came into use";
  };
  EXPECT_EQ(*remover.Remove(app, guard, stop), Removal::Skipped("came into use"));
  EXPECT_EQ(records(), before);
  EXPECT_EQ(guard.asked, 2) << "before the first and before the last";
  EXPECT_GT(fake.asked["Images.Delete"], 400);
}

TEST_F(ImageRemoverTest, ARecheckReadsTheContainersThatTheCriDoesNotList) {
  AppHasLayers();
  ASSERT_TRUE(Begin({&node.images[0], &node.images[1]}));
  EXPECT_THAT(*remover.ReadNonCriContainers({}, stop), IsEmpty());
  ContainerCame();
  const auto texts = [&](const std::vector<std::string>& listed) {
    std::vector<std::string> found;
    const auto read = remover.ReadNonCriContainers(listed, stop);
    EXPECT_TRUE(read);
    for (const ImageReference& one : *read) found.push_back(one.text);
    return found;
  };
  EXPECT_THAT(texts({}),
              testing::UnorderedElementsAre("registry.example/other:v1", node.images[1].id.text(),
                                            node.images[0].id.text()))
      << "what it names and what it runs on";
  const int stats = fake.asked["Snapshots.Stat"];
  EXPECT_THAT(texts({}), testing::SizeIs(3));
  EXPECT_EQ(fake.asked["Snapshots.Stat"], stats) << "it does not change";
  EXPECT_THAT(texts({"by-hand"}), IsEmpty()) << "the CRI lists it";
  fake.faults = {{"Containers.ListStream", {grpc::StatusCode::UNAVAILABLE, "restarting"}}};
  EXPECT_FALSE(remover.ReadNonCriContainers({}, stop));
}

TEST_F(ImageRemoverTest, RestoresNamesOfAnInterruptedRemovalFromTheOtherNames) {
  RecordRestorer restorer(fake.Channel(), {});
  const auto before = records();
  Image app = node.images[0];
  const std::string digest = "registry.example/app@" + DigestOf('1');
  records().erase(digest);
  records().erase(app.id.text());
  records()["registry.example/taken:v1"] = DigestOf('9');
  ASSERT_TRUE(restorer.RestoreNames(app, {digest, "registry.example/taken:v1"}, stop));
  EXPECT_EQ(records().at(digest), DigestOf('1'));
  EXPECT_EQ(records().at("registry.example/taken:v1"), DigestOf('9')) << "another image's by now";

  records() = {{"registry.example/app:v1", DigestOf('1')},
               {"registry.example/app:v2", DigestOf('2')}};
  app.tags.push_back(ImageName::Parse("registry.example/app:v2"));
  const auto unclear = restorer.RestoreNames(app, {"registry.example/app:v3"}, stop);
  ASSERT_FALSE(unclear);
  EXPECT_THAT(unclear.error().what, HasSubstr("registry.example/app:v3"));
}

}  // namespace
}  // namespace imagesweep::containerd
