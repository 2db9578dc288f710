#include "agent/runtime/store/layer_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/imagestore/graph/graph.h"
#include "tests/support/images.h"
#include "tests/unit/runtime/store/made_up_store.h"

namespace imagesweep::store {
namespace {

using layers::Certainty;
using testing::HasSubstr;
using testing::SizeIs;

class LayerStoreTest : public testing::Test {
 protected:
  void AddLayer(const std::string& name, const std::string& parent, std::uint64_t bytes = 4096) {
    store_.layers.push_back(
        {Hex(name), parent.empty() ? "" : Hex(parent), layers::Usage{bytes, 2, true}});
  }
  StoredImage& AddImage(const std::string& name, const std::string& top) {
    StoredImage image;
    image.id = "sha256:" + Hex(name);
    image.top_layer = top.empty() ? "" : Hex(top);
    image.metadata = {8192, 3, true};
    store_.images.push_back(image);
    listed_.push_back(Listed(image.id));
    return store_.images.back();
  }
  layers::Freed Freed(const std::vector<ImagePos>& images) {
    return layers::LayerGraph(ToSnapshot(store_, kExt4, {}), listed_).FreedBy(images);
  }

  LayerStore store_{"overlay", {}, {}, {}, {}, {}, {}};
  std::vector<Image> listed_;
};

TEST_F(LayerStoreTest, AddsNothingToWhatWasMeasured) {
  AddLayer("base", "", 12288);
  AddImage("app", "base");
  const auto freed = Freed(ImagesAt(0));
  EXPECT_EQ(freed.certainty, Certainty::kExact) << freed.why;
  EXPECT_EQ(freed.space.bytes, 12288U + 8192U);
  EXPECT_EQ(freed.space.inodes, 5U);
}

TEST_F(LayerStoreTest, FindsImagesByIdsWithAndWithoutAlgorithm) {
  AddLayer("base", "");
  AddImage("app", "base").id = Hex("app");
  EXPECT_EQ(Freed(ImagesAt(0)).certainty, Certainty::kExact);
  listed_[0].id = ImageId(Hex("app"));
  store_.containers.push_back({Hex("c"), Hex("app"), ""});
  const auto freed = Freed(ImagesAt(0));
  EXPECT_EQ(freed.certainty, Certainty::kExact) << freed.why;
  EXPECT_EQ(freed.space, layers::Reclaim());  // its container holds it
}

// As `podman image mount` and a build with RUN --mount=from= leave it.
TEST_F(LayerStoreTest, TellsWhichImagesAreMountedWithoutAContainer) {
  AddLayer("base", "");
  AddLayer("top", "base");
  AddLayer("writable", "top");
  AddLayer("mapped", "base");
  AddImage("app", "top");
  AddImage("other", "base").mapped_layers = {Hex("mapped")};
  store_.containers.push_back({Hex("c"), Hex("app"), Hex("writable")});
  const auto mounted = [this](const std::string& layer) {
    store_.mounted_layers = {Hex("writable"), Hex(layer)};
    return layers::LayerGraph(ToSnapshot(store_, kExt4, {}), listed_).MountsWithoutContainer();
  };
  for (const auto& [layer, image] :
       {std::pair("top", 0U), std::pair("base", 1U), std::pair("mapped", 1U)}) {
    const auto mounts = mounted(layer);
    ASSERT_THAT(mounts, SizeIs(1)) << "the writable layer is one of a container";
    EXPECT_EQ(mounts[0].key, Hex(layer));
    EXPECT_EQ(mounts[0].images, ImagesAt(image)) << layer;
  }
}

TEST_F(LayerStoreTest, DoesNotKnowTheMountsIfAnImageMayBeMissing) {
  AddLayer("base", "");
  AddImage("app", "base");
  const auto why = [this] {
    return layers::LayerGraph(ToSnapshot(store_, kExt4, {}), listed_).WhyMountsAreUnknown();
  };
  store_.MissedInIndex("1 malformed entries of images");
  EXPECT_EQ(why(), "") << "nothing is mounted";
  store_.mounted_layers = {Hex("of-no-image")};
  EXPECT_THAT(why(), HasSubstr("1 malformed entries of images"));
  store_.index_gap.clear();
  EXPECT_EQ(why(), "") << "the layer is newer";
  store_.layers.clear();
  EXPECT_THAT(why(), HasSubstr("the store lacks"));
  AddLayer("base", "");
  AddLayer("other", "");
  AddImage("app", "other");
  EXPECT_THAT(why(), HasSubstr("contradict")) << "only the first entry of an image counts";
}

// CRI-O lists OCI artifacts, which are not in the store, and sizes may take longer than allowed.
TEST_F(LayerStoreTest, KnowsTheMountsIfOnlySizesAreUnknown) {
  AddLayer("base", "");
  AddImage("app", "base");
  store_.mounted_layers = {Hex("base")};
  store_.Missed(layers::Unread::What::kObjects, "1 images of the runtime are not in its store");
  const layers::LayerGraph graph(ToSnapshot(store_, kExt4, {}), listed_);
  EXPECT_EQ(graph.WhyMountsAreUnknown(), "");
  ASSERT_THAT(graph.MountsWithoutContainer(), SizeIs(1));
  EXPECT_EQ(graph.MountsWithoutContainer()[0].images, ImagesAt(0));
}

TEST_F(LayerStoreTest, FreesMappedLayersWithTheImage) {
  AddLayer("base", "");
  AddLayer("top", "base");
  AddLayer("mapped", "base");
  AddImage("app", "top").mapped_layers = {Hex("mapped")};
  EXPECT_EQ(Freed(ImagesAt(0)).space.snapshots, 3U);
}

// Docker deletes the nameless images that a build left between its base and its result.
TEST_F(LayerStoreTest, FreesParentsWithoutANameWithTheirLastChild) {
  AddLayer("one", "");
  AddLayer("two", "one");
  AddImage("left", "two").parent = "sha256:" + Hex("step");
  AddImage("right", "two").parent = "sha256:" + Hex("step");
  auto& step = AddImage("step", "one");
  step.named = false;
  listed_.pop_back();  // the runtime does not list it
  EXPECT_EQ(Freed(ImagesAt(0)).space.bytes, 8192U);
  EXPECT_EQ(Freed(ImagesAt(0, 1)).space.bytes, 3 * 8192U + 2 * 4096U);
  store_.images[2].named = true;
  EXPECT_EQ(Freed(ImagesAt(0, 1)).space.bytes, 2 * 8192U + 4096U);
}

TEST_F(LayerStoreTest, IsInexactWhenParentsFormACycle) {
  AddLayer("a", "c");
  AddLayer("b", "a");
  AddLayer("c", "b");
  AddLayer("self", "self");
  AddImage("app", "b");
  AddImage("other", "self");
  const auto freed = Freed(ImagesAt(0, 1));
  EXPECT_EQ(freed.certainty, Certainty::kRoughly);
  EXPECT_THAT(freed.why, HasSubstr("form a cycle"));
}

TEST_F(LayerStoreTest, IsInexactWhenALayerIsMissing) {
  AddImage("app", "gone");
  EXPECT_THAT(Freed(ImagesAt(0)).why, HasSubstr("which the store does not list"));
}

TEST_F(LayerStoreTest, IsInexactWhenAnIdIsListedTwice) {
  AddLayer("base", "", 4096);
  AddLayer("base", "", 8192);
  AddImage("app", "base");
  const auto freed = Freed(ImagesAt(0));
  EXPECT_EQ(freed.certainty, Certainty::kRoughly);
  EXPECT_EQ(freed.space.snapshots, 1U);
  EXPECT_EQ(freed.space.bytes, 4096U + 8192U);
}

TEST_F(LayerStoreTest, KeepsOnlyTheFirstNotesOfMany) {
  for (int i = 0; i < 1000; ++i) store_.Missed(layers::Unread::What::kObjects, "one");
  EXPECT_THAT(store_.unread, SizeIs(16));
}

TEST(HexIdTest, IsSixtyFourLowerCaseHexDigits) {
  EXPECT_TRUE(IsHexId(std::string(64, 'a')));
  for (const std::string& text :
       {std::string(), std::string(63, 'a'), std::string(65, 'a'), std::string(64, 'A'),
        std::string(64, '/'), std::string(64, '.'), std::string(63, 'a') + '\0'})
    EXPECT_FALSE(IsHexId(text)) << text;
}

}  // namespace
}  // namespace imagesweep::store
