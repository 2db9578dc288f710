#include "agent/runtime/store/containers_storage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <thread>

#include "agent/imagestore/graph/layer_chains.h"
#include "agent/runtime/store/store_reader.h"
#include "tests/support/images.h"
#include "tests/unit/runtime/store/made_up_store.h"

namespace imagesweep::store {
namespace {

using layers::Certainty;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class ContainersStorageTest : public testing::Test {
 protected:
  ContainersStorage Reader(bool configs = false) {
    return ContainersStorage(clock_, {store_.root().string(), "", configs});
  }
  std::shared_ptr<const layers::LayerGraph> Graph() {
    auto storage = Reader(/*configs=*/true);
    StoreReader reader([&](const std::stop_token& stop) { return storage.Read(stop); },
                       [] { return kExt4; }, clock_);
    auto graph = reader.Read(store_.Images(), {});
    EXPECT_TRUE(graph) << (graph ? "" : graph.error().what);
    return *graph;
  }
  layers::Freed Predict(std::vector<std::string> names) {
    std::vector<ImagePos> images;
    for (const auto& name : names) images.emplace_back(store_.At(name));
    return Graph()->FreedBy(images);
  }
  // The bytes of everything except the indexes, whose length changes.
  layers::Usage Used() const {
    auto usage = Du(store_.root());
    for (const char* kind : {"images", "layers", "containers"}) {
      usage.bytes -= Du(store_.Index(kind)).bytes;
      --usage.inodes;
    }
    return usage;
  }
  void ExpectExact(const std::vector<std::string>& names) {
    const auto freed = Predict(names);
    EXPECT_EQ(freed.certainty, Certainty::kExact) << freed.why;
    const auto before = Used();
    for (const auto& name : names) store_.DeleteImage(name);
    const auto after = Used();
    EXPECT_EQ(freed.space.bytes, before.bytes - after.bytes);
    EXPECT_EQ(freed.space.inodes, before.inodes - after.inodes);
  }
  void AddShared() {
    store_.AddLayer("base", "", 100'000);
    store_.AddLayer("a", "base", 20'000);
    store_.AddLayer("b", "base", 3'000'000);
    store_.AddImage("appA", "a");
    store_.AddImage("appB", "b");
  }

  StillClock clock_;
  MadeUpContainersStore store_;
};

TEST_F(ContainersStorageTest, FreesOnlyItsOwnLayerWhenTwoImagesShareOne) {
  AddShared();
  EXPECT_EQ(Predict({"appA"}).space.snapshots, 1U);
  ExpectExact({"appA"});
}

TEST_F(ContainersStorageTest, FreesTheSharedLayerWithTheLastImage) {
  AddShared();
  EXPECT_EQ(Predict({"appA", "appB"}).space.snapshots, 3U);
  ExpectExact({"appA", "appB"});
}

TEST_F(ContainersStorageTest, FreesOnlyItsOwnFilesWhenAnotherImageHasTheSameLayers) {
  AddShared();
  store_.AddImage("again", "a");
  EXPECT_EQ(Predict({"again"}).space.inodes, 3U);
  ExpectExact({"again"});
}

TEST_F(ContainersStorageTest, FreesOnlyItsOwnFilesWithoutLayers) {
  store_.AddImage("empty", "");
  ExpectExact({"empty"});
}

TEST_F(ContainersStorageTest, FreesNothingOfAnImageWithAContainer) {
  AddShared();
  store_.AddContainer("web", "appA");
  EXPECT_EQ(Predict({"appA"}).space, layers::Reclaim());
  EXPECT_EQ(Graph()->Use(ImagePos(store_.At("appA"))), layers::SnapshotUse::kDirect);
  EXPECT_EQ(Predict({"appA", "appB"}).space.snapshots, 1U);
}

// As containers/storage does: a layer with a child stays, whoever left the child.
TEST_F(ContainersStorageTest, LeftOverLayersHoldWhatIsBelowThem) {
  AddShared();
  store_.AddLayer("left over", "a", 1000);
  EXPECT_EQ(Predict({"appA"}).space.snapshots, 0U);
  ExpectExact({"appA"});
}

TEST_F(ContainersStorageTest, ReadsHistoryForTheAnalysisOfLayers) {
  store_.AddLayer("base", "", 10);
  store_.AddImage("app", "base",
                  R"({"rootfs": {"diff_ids": ["sha256:)" + Hex("diff") +
                      R"("]}, "history": [{"created_by": "COPY . /"},
                                        {"created_by": "ENV a=b", "empty_layer": true}]})");
  const auto chains = layers::ReadLayerChains(*Graph());
  ASSERT_THAT(chains.layers, SizeIs(1));
  EXPECT_EQ(chains.layers[0].created_by, "COPY . /");
}

TEST_F(ContainersStorageTest, ReadsVolatileLayersAndContainersOfBothRoots) {
  AddShared();
  const Scratch run;
  const auto layer = [](const char* id, const char* parent) {
    return "[{\"id\":" + Quoted(Hex(id)) + ",\"parent\":" + Quoted(Hex(parent)) + "}]";
  };
  Write(store_.root() / "overlay-layers/volatile-layers.json", layer("w1", "a"));
  Write(run.path() / "overlay-layers/volatile-layers.json", layer("w2", "b"));
  Write(run.path() / "overlay-containers/volatile-containers.json",
        "[{\"id\":" + Quoted(Hex("c2")) + ",\"image\":" + Quoted(Hex("appB")) +
            ",\"layer\":" + Quoted(Hex("w2")) + "}]");
  ContainersStorage reader(clock_, {store_.root().string(), run.path().string()});
  const auto store = reader.Read({});
  ASSERT_TRUE(store);
  EXPECT_THAT(store->layers, SizeIs(5));
  EXPECT_THAT(store->containers, SizeIs(1));
  EXPECT_THAT(store->unread, IsEmpty());
}

// As `podman image mount` and a build with RUN --mount=from= leave it in the run root.
TEST_F(ContainersStorageTest, ReadsTheMountsOfImages) {
  AddShared();
  const Scratch run;
  const auto mount = [](const std::string& id, int count) {
    return "{\"id\":" + Quoted(id) + R"(,"path":"/merged","count":)" + std::to_string(count) + "}";
  };
  const auto read_with = [&](const std::string& mounts) {
    Write(run.path() / "overlay-layers/mountpoints.json", "[" + mounts + "]");
    return ContainersStorage(clock_, {store_.root().string(), run.path().string()}).Read({});
  };
  auto store = read_with(mount(Hex("b"), 1) + "," + mount(Hex("a"), 0) + "," + mount(Hex("w"), 2));
  ASSERT_TRUE(store);
  EXPECT_THAT(store->mounted_layers, ElementsAre(Hex("b"), Hex("w")));
  EXPECT_THAT(store->containers, IsEmpty());
  EXPECT_THAT(store->unread, IsEmpty());

  store = read_with("7");
  ASSERT_TRUE(store);
  ASSERT_THAT(store->unread, SizeIs(1));
  EXPECT_EQ(store->unread[0].what, layers::Unread::What::kMounts);
}

TEST_F(ContainersStorageTest, TellsThatMountsAreUnknownIfAContainerCannotBeRead) {
  AddShared();
  const auto mounts_are_unknown = [](const Result<LayerStore>& store) {
    EXPECT_TRUE(store);
    return store && std::ranges::count(store->unread, layers::Unread::What::kMounts,
                                       &layers::Unread::what) > 0;
  };
  EXPECT_FALSE(mounts_are_unknown(Reader().Read({})));
  const Scratch run;
  const auto of_both = [&] {
    return ContainersStorage(clock_, {store_.root().string(), run.path().string()}).Read({});
  };
  EXPECT_FALSE(mounts_are_unknown(of_both())) << "there are no volatile containers";
  Write(run.path() / "overlay-containers/volatile-containers.json", "[{]");
  EXPECT_TRUE(mounts_are_unknown(of_both()));
  Write(store_.root() / "overlay-containers/volatile-containers.json", R"([{"id": 7}])");
  EXPECT_TRUE(mounts_are_unknown(Reader().Read({})));
}

// The text that each tool writes about its containers.
TEST_F(ContainersStorageTest, TellsOfAContainerWhoseMountedImagesAreUnknown) {
  AddShared();
  const auto unread_with = [&](const std::string& metadata) {
    Write(store_.root() / "overlay-containers/volatile-containers.json",
          "[{\"id\":" + Quoted(Hex("c")) + ",\"image\":" + Quoted(Hex("appB")) + metadata + "}]");
    return Reader().Read({})->unread;
  };
  EXPECT_THAT(unread_with(""), IsEmpty()) << "Buildah writes none";
  EXPECT_THAT(unread_with(R"(,"metadata":"")"), IsEmpty());
  EXPECT_THAT(unread_with(R"(,"metadata":"{\"pod-name\":\"p\",\"pod-id\":\"1\",\"name\":\"c\"}")"),
              IsEmpty())
      << "CRI-O names the pod";
  for (const char* unknown :
       {R"(,"metadata":"{\"image-name\":\"a\",\"name\":\"toolbox\",\"created-at\":1}")",
        R"(,"metadata":"?")", R"(,"metadata":7)"}) {
    const auto unread = unread_with(unknown);
    ASSERT_THAT(unread, SizeIs(1)) << unknown;
    EXPECT_EQ(unread[0].what, layers::Unread::What::kMounts);
    EXPECT_THAT(unread[0].why, HasSubstr(Hex("c").substr(0, 12) + " was made by Podman"));
  }
}

TEST_F(ContainersStorageTest, IsNotFoundWithoutItsRootAndNamesTheCure) {
  ContainersStorage reader(clock_, {"/nowhere/storage", ""});
  const auto store = reader.Read({});
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().kind, ErrorKind::kNotFound);
  EXPECT_THAT(store.error().what, HasSubstr("mount /nowhere/storage read-only into the agent"));
}

TEST_F(ContainersStorageTest, IsNotFoundWithAnotherDriverAndNamesIt) {
  fs::rename(store_.root() / "overlay-images", store_.root() / "vfs-images");
  const auto store = Reader().Read({});
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().kind, ErrorKind::kNotFound);
  EXPECT_THAT(store.error().what, HasSubstr("storage driver vfs"));
}

TEST_F(ContainersStorageTest, IsIncompleteWithADamagedIndex) {
  AddShared();
  for (const char* text : {"[{\"id\":", "{}", "7", "\"text\"", "[\xff]"}) {
    Write(store_.Index("layers"), text);
    const auto store = Reader().Read({});
    ASSERT_FALSE(store) << text;
    EXPECT_EQ(store.error().kind, ErrorKind::kIncomplete);
    EXPECT_THAT(store.error().what, HasSubstr("overlay-layers/layers.json"));
    EXPECT_THAT(store.error().what, HasSubstr("read-only into the agent"));
  }
}

TEST_F(ContainersStorageTest, IsInexactWithEntriesOfAnotherForm) {
  AddShared();
  for (const char* text :
       {"[7]", "[[]]", "[null]", "[{}]", R"([{"id": 7}])", R"([{"id": "../../etc"}])",
        R"([{"id": "/etc/passwd"}])", R"([{"id": "."}])", R"([{"id": ""}])",
        R"([{"id": "ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef0123456789"}])"}) {
    Write(store_.Index("images"), text);
    const auto store = Reader().Read({});
    ASSERT_TRUE(store) << text;
    EXPECT_THAT(store->images, IsEmpty()) << text;
    EXPECT_THAT(store->unread, SizeIs(1)) << text;
  }
  Write(store_.Index("images"),
        "[{\"id\":" + Quoted(Hex("appA")) + R"(, "layer": "../../../etc"}])");
  EXPECT_THAT(Reader().Read({})->images, IsEmpty());
}

TEST_F(ContainersStorageTest, IsEmptyWithoutIndexes) {
  for (const char* kind : {"images", "layers", "containers"}) {
    Write(store_.Index(kind), "");
    EXPECT_TRUE(Reader().Read({})) << kind;
    Write(store_.Index(kind), "null");
    EXPECT_TRUE(Reader().Read({})) << kind;
    fs::remove(store_.Index(kind));
  }
  const auto store = Reader().Read({});
  ASSERT_TRUE(store);
  EXPECT_THAT(store->images, IsEmpty());
  EXPECT_THAT(store->unread, IsEmpty());
}

TEST_F(ContainersStorageTest, FollowsNoSymbolicLinkOfTheStore) {
  AddShared();
  const fs::path outside = store_.root().parent_path() / "outside";
  fs::rename(store_.root() / "overlay" / Hex("a"), outside);
  fs::create_directory_symlink(outside, store_.root() / "overlay" / Hex("a"));
  const auto freed = Predict({"appA"});
  EXPECT_EQ(freed.certainty, Certainty::kRoughly);
  EXPECT_EQ(freed.space.unsized, 1U);

  fs::rename(store_.Index("images"), outside / "images.json");
  fs::create_symlink(outside / "images.json", store_.Index("images"));
  const auto store = Reader().Read({});
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().kind, ErrorKind::kIncomplete);
}

TEST_F(ContainersStorageTest, IsInexactWhenTheDirectoryOfALayerIsMissing) {
  AddShared();
  fs::remove_all(store_.root() / "overlay" / Hex("a"));
  const auto freed = Predict({"appA"});
  EXPECT_NE(freed.certainty, Certainty::kExact);
  EXPECT_THAT(freed.why, HasSubstr("1 layers could not be measured"));
}

TEST_F(ContainersStorageTest, MeasuresALayerOnceAndAgainWhenItCameBack) {
  AddShared();
  auto reader = Reader();
  const auto bytes_of_a = [&] {
    const auto store = reader.Read({});
    for (const StoredLayer& layer : store->layers)
      if (layer.id == Hex("a")) return layer.usage->bytes;
    return std::uint64_t{0};
  };
  const auto first = bytes_of_a();
  EXPECT_GT(first, 20'000U);
  Write(store_.root() / "overlay" / Hex("a") / "diff/data/later", std::string(50'000, 'x'));
  EXPECT_EQ(bytes_of_a(), first);
  store_.DeleteImage("appA");
  store_.AddLayer("a", "base", 500'000);
  store_.AddImage("appA", "a");
  EXPECT_GT(bytes_of_a(), 500'000U);
}

TEST_F(ContainersStorageTest, GoesOnWithTheNextLayersWhenTheBudgetIsSpent) {
  AddShared();
  clock_.step = Millis(10);
  ContainersStorage reader(clock_, {store_.root().string(), "", false, Millis(15)});
  std::vector<std::size_t> unread;
  for (int i = 0; i < 4; ++i) unread.push_back(reader.Read({})->unread.size());
  EXPECT_THAT(unread, ElementsAre(1, 1, 0, 0));
}

// The store replaces an index by rename(2).
TEST_F(ContainersStorageTest, ListsAllImagesOfOneMomentWhenTheIndexIsReplacedMeanwhile) {
  AddShared();
  const std::string one = "[{\"id\":" + Quoted(Hex("appA")) + "}]";
  const std::string two =
      "[{\"id\":" + Quoted(Hex("appB")) + "},{\"id\":" + Quoted(Hex("x")) + "}]";
  Write(store_.Index("images"), one);
  const std::jthread writer([&](const std::stop_token& stop) {
    for (int i = 0; !stop.stop_requested(); ++i) {
      Write(store_.root() / "overlay-images/.tmp", i % 2 == 0 ? two : one);
      fs::rename(store_.root() / "overlay-images/.tmp", store_.Index("images"));
    }
  });
  auto reader = Reader();
  for (int i = 0; i < 100; ++i) {
    const auto store = reader.Read({});
    ASSERT_TRUE(store) << store.error().what;
    ASSERT_THAT(store->images, SizeIs(store->images[0].id == Hex("appA") ? 1 : 2));
    for (const auto& part : store->unread) EXPECT_THAT(part.why, HasSubstr("all the time"));
  }
}

TEST_F(ContainersStorageTest, IsCancelledByAStop) {
  AddShared();
  std::stop_source stop;
  stop.request_stop();
  const auto store = Reader().Read(stop.get_token());
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().kind, ErrorKind::kCancelled);
}

TEST_F(ContainersStorageTest, CountsNoFilesThatOtherLayersShareByHardLinks) {
  AddShared();
  fs::create_hard_link(store_.root() / "overlay" / Hex("a") / "diff/data/file",
                       store_.root() / "overlay" / Hex("b") / "diff/linked");
  const auto freed = Predict({"appA"});
  EXPECT_EQ(freed.certainty, Certainty::kRoughly);
  EXPECT_THAT(freed.why, HasSubstr("hard links"));
  const auto before = Used();
  store_.DeleteImage("appA");
  EXPECT_EQ(freed.space.bytes, before.bytes - Used().bytes);
}

TEST_F(ContainersStorageTest, IsInexactWhenTheRuntimeHasAnImageThatIsNotInTheStore) {
  AddShared();
  auto images = store_.Images();
  images.push_back(Listed(Hex("elsewhere")));
  auto storage = Reader();
  StoreReader reader([&](const std::stop_token& stop) { return storage.Read(stop); },
                     [] { return kExt4; }, clock_);
  const auto graph = reader.Read(images, {});
  ASSERT_TRUE(graph);
  const auto freed = (*graph)->FreedBy(ImagesAt(0));
  EXPECT_NE(freed.certainty, Certainty::kExact);
  EXPECT_THAT(freed.why, HasSubstr("1 images of the runtime are not in its store"));
}

}  // namespace
}  // namespace imagesweep::store
