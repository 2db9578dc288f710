#include "agent/runtime/cri/layer_facts.h"

#include <array>

#include "tests/unit/runtime/cri/fixture.h"

namespace imagesweep::cri {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Optional;

std::string Array(const DiffIds& diff_ids) {
  std::string text;
  for (const std::string& one : diff_ids) text += (text.empty() ? "\"" : ",\"") + one + "\"";
  return "[" + text + "]";
}

// As the runtimes write it: containerd also has a chainID, CRI-O and cri-dockerd have labels.
// Source: containerd internal/cri/server/image_status.go, cri-o server/image_status.go, cri-dockerd
// core/image_status.go.
std::string InfoOf(Flavour flavour, const DiffIds& diff_ids) {
  const bool is_containerd = flavour == Flavour::kContainerd22 || flavour == Flavour::kContainerd23;
  return std::string(is_containerd ? R"({"chainID":"sha256:c0",)" : R"({"labels":{},)") +
         R"("imageSpec":{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":)" +
         Array(diff_ids) + R"(},"history":[{"created_by":"COPY . /app"}]}})";
}

FakeImage Of(Flavour flavour, std::string_view word, std::uint64_t size, const DiffIds& diff_ids) {
  FakeImage image = FakeImage::From(Img(word, {std::string(word) + ":1"}, size));
  if (flavour == Flavour::kCrio129 || flavour == Flavour::kCrio130)
    image.id = image.id.substr(image.id.find(':') + 1);
  image.info = InfoOf(flavour, diff_ids);
  return image;
}

std::vector<Image> List(Client& client) {
  auto images = client.runtime.ListImages(client.never);
  EXPECT_TRUE(images) << images.error().what;
  return *std::move(images);
}

class LayerFactsTest : public testing::TestWithParam<Flavour> {};

TEST_P(LayerFactsTest, ReadsTheLayersOfEachImageOnce) {
  FakeCri fake(GetParam());
  fake.AddImage(Of(GetParam(), "a", 30, {"sha256:1", "sha256:2"}));
  fake.AddImage(Of(GetParam(), "b", 10, {"sha256:1"}));
  Client client(fake);
  LayerFacts facts(client.connection);

  const auto first = facts.Read(List(client), client.never);
  ASSERT_TRUE(first) << first.error().what;
  EXPECT_THAT(*first, ElementsAre(ElementsAre("sha256:1", "sha256:2"), ElementsAre("sha256:1")));
  EXPECT_EQ(fake.Count("ImageStatus"), 2u);

  fake.AddImage(Of(GetParam(), "c", 40, {"sha256:3"}));
  const auto second = facts.Read(List(client), client.never);
  ASSERT_TRUE(second) << second.error().what;
  EXPECT_THAT(second->back(), ElementsAre("sha256:3"));
  EXPECT_EQ(fake.Count("ImageStatus"), 3u) << "an image's layers never change";
}

INSTANTIATE_TEST_SUITE_P(Runtimes, LayerFactsTest,
                         testing::Values(Flavour::kCrio129, Flavour::kCrio130, Flavour::kDockerd,
                                         Flavour::kContainerd22));

TEST(LayerFactsTest, AFailedReadIsAnErrorAndNotAnImageWithoutLayers) {
  FakeCri fake(Flavour::kCrio130);
  fake.AddImage(Of(Flavour::kCrio130, "a", 30, {"sha256:1"}));
  Client client(fake);
  LayerFacts facts(client.connection);
  const auto images = List(client);
  fake.Set("ImageStatus", {.code = grpc::StatusCode::UNAVAILABLE, .message = "restarting"});
  const auto failed = facts.Read(images, client.never);
  ASSERT_FALSE(failed);
  EXPECT_THAT(failed.error().what, HasSubstr("restarting"));
  fake.ClearFaults();
  fake.Edit([](FakeNode& node) { node.images[0].info = "{cut"; });
  const auto cut = facts.Read(images, client.never);
  ASSERT_FALSE(cut);
  EXPECT_THAT(cut.error().what, HasSubstr("info: is not JSON"));
}

TEST(LayerFactsTest, HasNoLayersWhenTheRuntimeOmitsThem) {
  const std::pair<const char*, std::string> cases[] = {
      {"no info", ""},
      {"no config", R"({"labels":{}})"},
      {"a config of another shape", R"({"imageSpec":{"rootfs":[1]}})"},
      {"no texts", R"({"imageSpec":{"rootfs":{"diff_ids":[1,2]}}})"},
      {"null", R"({"imageSpec":{"rootfs":{"diff_ids":null}}})"},
  };
  for (const auto& [why, info] : cases) {
    FakeCri fake(Flavour::kCrio130);
    FakeImage image = Of(Flavour::kCrio130, "a", 30, {});
    image.info = info;
    fake.AddImage(image);
    Client client(fake);
    const auto read = LayerFacts(client.connection).Read(List(client), client.never);
    ASSERT_TRUE(read) << why << ": " << read.error().what;
    EXPECT_THAT(*read, ElementsAre(IsEmpty())) << why;
  }
}

TEST(LayerFactsTest, HasNoLayersOfAnImageDeletedDuringTheRead) {
  FakeCri fake(Flavour::kCrio130);
  fake.AddImage(Of(Flavour::kCrio130, "a", 30, {"sha256:1"}));
  Client client(fake);
  const auto images = List(client);
  fake.Edit([](FakeNode& node) { node.images.clear(); });
  const auto read = LayerFacts(client.connection).Read(images, client.never);
  ASSERT_TRUE(read) << read.error().what;
  EXPECT_THAT(*read, ElementsAre(IsEmpty()));
}

// base: 1; app and twin: 1 2 (equal layers); other: 1 3; elsewhere: 9 2 (the content of 2 on
// another parent is another layer on disk); unknown: no layers reported.
class LayerBoundsTest : public testing::Test {
 protected:
  static constexpr ImagePos kBase{0}, kApp{1}, kTwin{2}, kOther{3}, kElsewhere{4}, kUnknown{5};
  std::optional<std::uint64_t> Frees(const std::vector<ImagePos>& images) const {
    return bounds_.FreesAtMost(images);
  }

  const std::vector<Image> images_{Img("base", {"base:1"}, 10),      Img("app", {"app:1"}, 30),
                                   Img("twin", {"twin:1"}, 31),      Img("other", {"other:1"}, 50),
                                   Img("else", {"elsewhere:1"}, 70), Img("unknown", {"u:1"}, 90)};
  const std::vector<DiffIds> diff_ids_{{"1"}, {"1", "2"}, {"1", "2"}, {"1", "3"}, {"9", "2"}, {}};
  const LayerBounds bounds_{images_, diff_ids_, true};
};

TEST_F(LayerBoundsTest, CountsTheLayersThatOthersHave) {
  EXPECT_EQ(bounds_.layers(kApp), 2u);
  EXPECT_EQ(bounds_.shared_layers(kBase), 1u);
  EXPECT_EQ(bounds_.shared_layers(kApp), 2u);
  EXPECT_EQ(bounds_.shared_layers(kOther), 1u);
  EXPECT_EQ(bounds_.shared_layers(kElsewhere), 0u);
  EXPECT_EQ(bounds_.layers(kUnknown), 0u);
}

TEST_F(LayerBoundsTest, ARemovalFreesAtMostTheSizeAndNoLayersWhenOthersHaveThemAll) {
  EXPECT_THAT(Frees({kBase}), Optional(0u));
  EXPECT_THAT(Frees({kApp}), Optional(0u));
  EXPECT_THAT(Frees({kOther}), Optional(50u));
  EXPECT_THAT(Frees({kElsewhere}), Optional(70u));
  EXPECT_THAT(Frees({kUnknown}), Optional(90u)) << "nothing is known to keep its layers";
}

TEST_F(LayerBoundsTest, ASetIsBoundedAsAWhole) {
  EXPECT_THAT(Frees({kApp, kTwin}), Optional(31u)) << "equal chains once";
  EXPECT_THAT(Frees({kApp, kApp}), Optional(0u));
  EXPECT_THAT(Frees({kBase, kApp, kTwin, kOther}), Optional(10u + 31u + 50u));
  EXPECT_THAT(Frees({}), Optional(0u));
}

TEST_F(LayerBoundsTest, SizesOfCompressedLayersBoundNothing) {
  const LayerBounds none(images_, diff_ids_, false);
  EXPECT_EQ(none.FreesAtMost(std::array{kOther}), std::nullopt);
  EXPECT_EQ(none.TakesAtMost(std::array{kOther}), std::nullopt);
  EXPECT_EQ(none.shared_layers(kApp), 2u);
}

}  // namespace
}  // namespace imagesweep::cri
