#include "agent/runtime/store/docker_layers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "agent/imagestore/graph/layer_chains.h"
#include "agent/runtime/store/store_reader.h"
#include "tests/support/images.h"
#include "tests/unit/runtime/store/made_up_store.h"

namespace imagesweep::store {
namespace {

using layers::Certainty;
using testing::HasSubstr;
using testing::SizeIs;

// A store in the layout of Docker 20.10.  An image is the list of its layers, and a layer's name
// stands for the diff ID Hex(name).
class DockerLayersTest : public testing::Test {
 protected:
  using Names = std::vector<std::string>;

  static std::string Digest(const std::string& name) { return "sha256:" + Hex(name); }
  static std::string Chain(const Names& names, std::size_t count) {
    Names diff_ids;
    for (std::size_t i = 0; i < count; ++i) diff_ids.push_back(Digest(names[i]));
    return ChainId(diff_ids);
  }
  fs::path root() const { return scratch_.path() / "docker"; }
  fs::path image() const { return root() / "image/overlay2"; }
  fs::path Layer(const Names& names, std::size_t count) const {
    return image() / "layerdb/sha256" / Chain(names, count).substr(7);
  }
  static std::string CacheId(const Names& names, std::size_t count) {
    return Hex("cache of " + Chain(names, count));
  }
  static std::string LinkOf(const std::string& cache_id) { return cache_id.substr(0, 26); }

  // Returns the ID.
  std::string AddImage(const std::string& name, const Names& names, std::size_t bytes = 10'000) {
    std::string ids;
    for (std::size_t count = 1; count <= names.size(); ++count) {
      ids += (ids.empty() ? "" : ",") + Quoted(Digest(names[count - 1]));
      const fs::path layer = Layer(names, count);
      if (fs::exists(layer)) continue;
      const std::string cache_id = CacheId(names, count);
      Write(layer / "diff", Digest(names[count - 1]));
      Write(layer / "size", std::to_string(bytes));
      Write(layer / "tar-split.json.gz", std::string(200, 's'));
      Write(layer / "cache-id", cache_id);
      if (count > 1) Write(layer / "parent", Chain(names, count - 1));
      Write(root() / "overlay2" / cache_id / "diff/data/file", std::string(bytes, 'x'));
      Write(root() / "overlay2" / cache_id / "link", LinkOf(cache_id));
      fs::create_directories(root() / "overlay2/l");
      fs::create_symlink("../" + cache_id + "/diff", root() / "overlay2/l" / LinkOf(cache_id));
    }
    const std::string config = "{\"name\":" + Quoted(name) + ",\"rootfs\":{\"diff_ids\":[" + ids +
                               "]},\"history\":[{\"created_by\":\"COPY\"}]}";
    const std::string id = Sha256Hex(config);
    Write(image() / "imagedb/content/sha256" / id, config);
    Write(image() / "imagedb/metadata/sha256" / id / "lastUpdated", "2026");
    images_.push_back(Listed("sha256:" + id));
    named_.push_back("sha256:" + id);
    WriteRepositories();
    return "sha256:" + id;
  }
  void WriteRepositories() const {
    std::string all;
    for (const std::string& id : named_)
      all += (all.empty() ? "" : ",") + Quoted("r" + id) + ":{" + Quoted("t" + id) + ":" +
             Quoted(id) + "}";
    Write(image() / "repositories.json", "{\"Repositories\":{" + all + "}}");
  }
  void AddContainer(const std::string& name, const Names& names, const std::string& image_id) {
    const fs::path mount = image() / "layerdb/mounts" / Hex(name);
    Write(mount / "mount-id", Hex("mount of " + name));
    Write(mount / "init-id", Hex("mount of " + name) + "-init");
    Write(mount / "parent", Chain(names, names.size()));
    Write(root() / "containers" / Hex(name) / "config.v2.json",
          R"({"Config": {"Image": "name:v1", "Env": ["a=b"]}, "Image": )" + Quoted(image_id) + "}");
  }
  void DeleteLayer(const Names& names, std::size_t count) const {
    const std::string cache_id = CacheId(names, count);
    fs::remove_all(Layer(names, count));
    fs::remove_all(root() / "overlay2" / cache_id);
    fs::remove(root() / "overlay2/l" / LinkOf(cache_id));
  }
  void DeleteImage(const std::string& id) const {
    fs::remove(image() / "imagedb/content/sha256" / id.substr(7));
    fs::remove_all(image() / "imagedb/metadata/sha256" / id.substr(7));
  }
  Result<LayerStore> Read() {
    return DockerLayers(clock_, {root().string(), /*configs=*/true}).Read({});
  }
  std::shared_ptr<const layers::LayerGraph> Graph() {
    StoreReader reader([this](const std::stop_token&) { return Read(); }, [] { return kExt4; },
                       clock_);
    auto graph = reader.Read(images_, {});
    EXPECT_TRUE(graph) << (graph ? "" : graph.error().what);
    return *graph;
  }
  layers::Freed Predict(const std::vector<ImagePos>& at) { return Graph()->FreedBy(at); }

  const Scratch scratch_;
  StillClock clock_;
  std::vector<Image> images_;
  Names named_;
};

TEST_F(DockerLayersTest, FreesWhatIsDeletedWhenTwoImagesShareALayer) {
  const Names one = {"base", "a"}, other = {"base", "b"};
  const std::string first = AddImage("one", one, 50'000), second = AddImage("other", other);
  const auto freed = Predict(ImagesAt(0)), all = Predict(ImagesAt(0, 1));
  EXPECT_EQ(freed.certainty, Certainty::kExact) << freed.why;
  EXPECT_EQ(freed.space.snapshots, 1U);
  EXPECT_EQ(all.space.snapshots, 3U);

  const auto before = Du(root());
  DeleteImage(first);
  DeleteLayer(one, 2);
  const auto between = Du(root());
  EXPECT_EQ(freed.space.bytes, before.bytes - between.bytes);
  EXPECT_EQ(freed.space.inodes, before.inodes - between.inodes);
  DeleteImage(second);
  DeleteLayer(other, 2);
  DeleteLayer(other, 1);
  EXPECT_EQ(all.space.bytes, before.bytes - Du(root()).bytes);
}

TEST_F(DockerLayersTest, FreesNothingOfAnImageWithAContainer) {
  AddContainer("web", {"base"}, AddImage("app", {"base"}));
  EXPECT_EQ(Predict(ImagesAt(0)).space, layers::Reclaim());
  EXPECT_EQ(Graph()->Use(ImagePos(0)), layers::SnapshotUse::kDirect);
}

TEST_F(DockerLayersTest, FreesOnlyItsOwnFilesWithoutLayers) {
  AddImage("empty", {});
  const auto freed = Predict(ImagesAt(0));
  EXPECT_EQ(freed.certainty, Certainty::kExact) << freed.why;
  EXPECT_EQ(freed.space.inodes, 3U);
}

TEST_F(DockerLayersTest, FreesTheNamelessParentsOfABuild) {
  AddImage("built", {"base", "step", "top"});
  const std::string step = AddImage("step", {"base", "step"});
  named_.pop_back();
  images_.pop_back();  // nor does Docker list it
  WriteRepositories();
  Write(image() / "imagedb/metadata/sha256" / images_[0].id.text().substr(7) / "parent", step);
  const auto freed = Predict(ImagesAt(0));
  EXPECT_EQ(freed.certainty, Certainty::kExact) << freed.why;
  EXPECT_EQ(freed.space.snapshots, 3U);
  EXPECT_EQ(freed.space.blobs, 2U);
}

TEST_F(DockerLayersTest, IsAtMostWhenTheBuildCacheMentionsALayer) {
  AddImage("app", {"base"});
  Write(root() / "buildkit/snapshots.db", "bolt\x01" + Digest("another") + "\x02");
  EXPECT_EQ(Predict(ImagesAt(0)).certainty, Certainty::kExact);
  Write(root() / "buildkit/snapshots.db", "bolt\x01" + Chain({"base"}, 1) + "\x02");
  const auto freed = Predict(ImagesAt(0));
  EXPECT_EQ(freed.certainty, Certainty::kAtMost);
  EXPECT_THAT(freed.why, HasSubstr("build cache"));
}

TEST_F(DockerLayersTest, ReadsLayersOfBuildKitWithShorterNames) {
  AddImage("app", {"base"});
  Write(Layer({"base"}, 1) / "cache-id", "zq3bkw1hh0y5r5xv6k0m2n9pd");
  fs::rename(root() / "overlay2" / CacheId({"base"}, 1),
             root() / "overlay2/zq3bkw1hh0y5r5xv6k0m2n9pd");
  EXPECT_EQ(Predict(ImagesAt(0)).certainty, Certainty::kExact);
}

TEST_F(DockerLayersTest, IsInexactWithHostileFiles) {
  AddImage("app", {"base", "top"});
  const fs::path layer = Layer({"base", "top"}, 2);
  for (const auto& [name, text] :
       std::vector<std::pair<const char*, std::string>>{{"cache-id", "../../../etc"},
                                                        {"cache-id", ""},
                                                        {"cache-id", std::string(1000, 'a')},
                                                        {"parent", "sha256:../../x"},
                                                        {"parent", Hex("no algorithm")}}) {
    std::string saved;
    std::getline(std::ifstream(layer / name), saved);
    Write(layer / name, text);
    const auto freed = Predict(ImagesAt(0));
    EXPECT_EQ(freed.certainty, Certainty::kRoughly) << name << " " << text;
    Write(layer / name, saved);
  }
  EXPECT_EQ(Predict(ImagesAt(0)).certainty, Certainty::kExact);
  fs::rename(layer / "cache-id", scratch_.path() / "cache-id");
  fs::create_symlink(scratch_.path() / "cache-id", layer / "cache-id");
  EXPECT_EQ(Predict(ImagesAt(0)).certainty, Certainty::kRoughly);
}

TEST_F(DockerLayersTest, IsInexactWithADamagedConfig) {
  AddImage("app", {"base"});
  const std::string id = images_[0].id.text().substr(7);
  for (const char* text : {"", "[]", "{\"rootfs\":", R"({"rootfs": {"diff_ids": ["../x"]}})",
                           R"({"rootfs": {"diff_ids": [7]}})"}) {
    Write(image() / "imagedb/content/sha256" / id, text);
    EXPECT_NE(Predict(ImagesAt(0)).certainty, Certainty::kExact) << text;
  }
}

TEST_F(DockerLayersTest, IgnoresLayersAndImagesThatAreBeingWrittenOrDeleted) {
  AddImage("app", {"base"});
  fs::create_directories(Layer({"gone"}, 1).string() + "-7-removing");
  Write(image() / "imagedb/content/sha256/.tmp-1", "");
  EXPECT_EQ(Predict(ImagesAt(0)).certainty, Certainty::kExact);
}

TEST_F(DockerLayersTest, IsNotFoundWithoutItsRootAndNamesTheCure) {
  const auto store = Read();
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().kind, ErrorKind::kNotFound);
  EXPECT_THAT(store.error().what, HasSubstr("read-only into the agent"));
}

TEST_F(DockerLayersTest, IsNotFoundWithAnotherDriverOrWithContainerd) {
  fs::create_directories(root() / "containerd");
  EXPECT_THAT(Read().error().what, HasSubstr("in containerd"));
  fs::create_directories(root() / "image/zfs");
  const auto store = Read();
  EXPECT_EQ(store.error().kind, ErrorKind::kNotFound);
  EXPECT_THAT(store.error().what, HasSubstr("storage driver zfs"));
}

TEST_F(DockerLayersTest, KeepsHistoryForTheAnalysisOfLayers) {
  AddImage("app", {"base"});
  const auto chains = layers::ReadLayerChains(*Graph());
  ASSERT_THAT(chains.layers, SizeIs(1));
  EXPECT_EQ(chains.layers[0].created_by, "COPY");
  EXPECT_EQ(chains.layers[0].chain_id, Chain({"base"}, 1));
}

}  // namespace
}  // namespace imagesweep::store
