#include <gtest/gtest.h>

#include "agent/imagestore/analysis/breakdown.h"
#include "agent/imagestore/graph/incremental_reclaim.h"
#include "tests/unit/imagestore/oracle.h"

// Properties of all figures, on random metadata in which everything refers to everything.

namespace imagesweep::layers {
namespace {

constexpr std::uint64_t kCases = 20'000;  // for each property

// Small and dense worlds: labels dangle, form circles, and cross kinds; namespaces share digests;
// leases are flat or not; parents are missing. Equal seeds make equal worlds.
class RandomSpec {
 public:
  explicit RandomSpec(std::uint64_t seed) : random_(seed), calm_(Maybe(2)) {
    for (int i = 0; i < 4; ++i)
      if (!Maybe(4)) Pull(std::to_string(i));
    for (int i = Below(3); i > 0; --i) AddImage();
    for (int i = Below(calm_ ? 3 : 8); i > 0; --i) AddBlob();
    for (int i = Below(calm_ ? 3 : 8); i > 0; --i) AddSnapshot();
    for (int i = Few(); i > 0; --i) {
      spec.containers.push_back({Space(), "k" + Number(2), "", Snapshotter(), Chain(), {}});
      if (Maybe(3)) Refer(spec.containers.back().labels);
    }
    for (int i = Few(); i > 0; --i) AddLease();
    if (Maybe(6)) spec.ingests.emplace_back(Space(), Blob());
    if (Maybe(6)) {
      spec.sandboxes.emplace_back(Space(), Spec::Tags{});
      Refer(spec.sandboxes.back().second);
    }
    for (int i = Below(5); i > 0; --i) {
      Image image = Img("i", {"app:" + std::to_string(i)});
      image.id = ImageId(Maybe(9) ? Blob() : Config());
      if (ids.insert(image.id.text()).second) images.push_back(image);
    }
  }

  int Below(int n) { return static_cast<int>(random_() % static_cast<std::uint64_t>(n)); }
  bool Maybe(int one_in) { return Below(one_in) == 0; }
  std::mt19937_64& random() { return random_; }
  std::vector<ImagePos> Subset() {
    std::vector<ImagePos> some;
    for (const ImagePos at : Positions(images))
      if (Maybe(2)) some.push_back(at);
    return some;
  }
  std::set<std::string> IdsOf(const std::vector<ImagePos>& positions) const {
    std::set<std::string> set;
    for (const auto at : positions) set.insert(images[at].id.text());
    return set;
  }

  Spec spec;
  ByImage<Image> images;
  std::set<std::string> ids;

 private:
  std::string Number(int below) { return std::to_string(Below(below)); }
  std::string Space() { return Maybe(4) ? "moby" : "k8s.io"; }
  std::string Snapshotter() { return Maybe(6) ? "native" : "overlayfs"; }
  int Few() { return calm_ && !Maybe(4) ? 0 : Below(3); }
  std::string Manifest() { return Id("m" + Number(4)); }
  std::string Config() { return Id("g" + Number(4)); }
  std::string Blob() {
    const int kind = Below(4);
    return kind == 0 ? Manifest() : kind == 1 ? Config() : Id("b" + Number(6));
  }
  std::string Chain() {
    return Maybe(5) ? "name-" + Number(3) : Id("s" + Number(2) + (Maybe(2) ? "" : Number(2)));
  }
  void Refer(Spec::Tags& labels) {
    const std::string what = "containerd.io/gc.";
    for (int i = Below(4); i > 0; --i) {
      switch (Below(10)) {
        case 0:
          labels[what + "ref.content.config"] = Blob();
          break;
        case 1:
          labels[what + "ref.content/l." + Number(9)] = Blob();
          break;
        case 2:
          labels[what + "ref.content"] = Blob();
          break;
        case 3:
          labels[what + "ref.contents"] = Blob();  // has no meaning
          break;
        case 4:
          labels[what + "ref.image"] = "app:" + Number(6);
          break;
        default:
          labels[what + "ref.snapshot." + Snapshotter() + (Maybe(4) ? "/x" : "")] = Chain();
      }
    }
  }
  void ReferBack(Spec::Tags& labels) {
    const std::string what = "containerd.io/gc.";
    if (Maybe(calm_ ? 40 : 12)) labels[what + "root"] = "true";
    if (Maybe(10)) labels[what + "bref.content"] = Blob();
    if (Maybe(10)) labels[what + "bref.container"] = "k" + Number(2);
    if (Maybe(10)) labels[what + "bref.image"] = "app:" + Number(6);
    if (Maybe(10)) labels[what + "bref.snapshot.overlayfs"] = Chain();
  }
  // A correct image, which shares layers with the others.
  void Pull(const std::string& number) {
    const std::string space = Maybe(6) ? "moby" : "k8s.io", what = "containerd.io/gc.ref.";
    spec.images.push_back({space, "app:" + number, Id("m" + number), {}});
    Spec::Tags children{{what + "content.config", Id("g" + number)}};
    std::string chain, layers;
    for (int i = Below(4); i > 0; --i) {
      const std::string layer = Number(2);
      children[what + "content.l." + std::to_string(i)] = Id("b" + layer);
      AddBlobOnce(space, Id("b" + layer));
      layers += layer;
      AddSnapshotOnce(space, "overlayfs", Id("s" + layers), chain);
      chain = Id("s" + layers);
    }
    AddBlobOnce(space, Id("m" + number)).labels = children;
    AddBlobOnce(space, Id("g" + number)).labels = {{what + "snapshot.overlayfs", chain}};
  }
  Spec::BlobOf& AddBlobOnce(const std::string& space, const std::string& digest) {
    std::uint64_t bytes = random_() % 20'000;
    for (auto& its : spec.blobs) {
      if (its.digest != digest) continue;
      if (its.space == space) return its;
      bytes = its.bytes;
    }
    return spec.blobs.emplace_back(Spec::BlobOf{space, digest, bytes, {}});
  }
  Spec::SnapshotOf& AddSnapshotOnce(const std::string& space, const std::string& snapshotter,
                                    const std::string& key, const std::string& parent) {
    for (auto& its : spec.snapshots)
      if (its.space == space && its.snapshotter == snapshotter && its.key == key) return its;
    const Usage usage{random_() % 100'000, random_() % 50};
    return spec.snapshots.emplace_back(
        Spec::SnapshotOf{space, snapshotter, key, parent, SnapshotKind::kCommitted, usage, {}});
  }
  void AddImage() {
    const Spec::ImageOf image{
        Space(), Maybe(6) ? Config() : "app:" + Number(6), Maybe(6) ? Blob() : Manifest(), {}};
    for (const auto& its : spec.images)
      if (its.space == image.space && its.name == image.name) return;
    spec.images.push_back(image);
    Spec::Tags& labels = spec.images.back().labels;
    if (Maybe(3)) Refer(labels);
    if (image.space == spec.cri || !Maybe(4)) return;
    labels["containerd.io/gc.expire"] = "2001-09-09T01:46:40+02:00";
    labels["expired"] = "";
    ReferBack(labels);
  }
  void AddBlob() {
    Spec::BlobOf& blob = AddBlobOnce(Space(), Blob());
    Refer(blob.labels);
    ReferBack(blob.labels);
  }
  void AddSnapshot() {
    Spec::SnapshotOf& snapshot =
        AddSnapshotOnce(Space(), Snapshotter(), Chain(), Maybe(3) ? "" : Chain());
    if (Maybe(5)) snapshot.kind = SnapshotKind::kActive;
    if (Maybe(9)) snapshot.usage.reset();
    if (Maybe(4)) Refer(snapshot.labels);
    ReferBack(snapshot.labels);
  }
  void AddLease() {
    Spec::LeaseOf lease{Space(), "lease-" + Number(9), {}, {}};
    if (Maybe(2)) lease.labels["containerd.io/gc.flat"] = "1";
    if (Maybe(4)) {
      lease.labels["containerd.io/gc.expire"] = "2001-09-09T01:46:40Z";
      lease.labels["expired"] = "";
    } else if (Maybe(4)) {
      lease.labels["containerd.io/gc.expire"] = Maybe(2) ? "2150-01-01T00:00:00Z" : "soon";
    }
    for (int i = Below(3); i > 0; --i) {
      if (Maybe(5))
        lease.resources.emplace_back("images", "app:" + Number(6));
      else if (Maybe(2))
        lease.resources.emplace_back("content", Blob());
      else
        lease.resources.emplace_back("snapshots/" + Snapshotter(), Chain());
    }
    spec.leases.push_back(lease);
  }

  std::mt19937_64 random_;
  const bool calm_;
};

// In parts, because the oracle is slow.
class LayerGraphOracle : public testing::TestWithParam<std::uint64_t> {
 protected:
  static constexpr std::uint64_t kShares = 4;
};
INSTANTIATE_TEST_SUITE_P(Shares, LayerGraphOracle, testing::Range<std::uint64_t>(0, 4));

TEST_P(LayerGraphOracle, FreesTheSameAsAMarkAndSweep) {
  std::uint64_t freeing = 0, partly = 0;
  for (std::uint64_t seed = GetParam(); seed < kCases; seed += kShares) {
    RandomSpec random(seed);
    const LayerGraph graph(random.spec.Build(), random.images);
    const Oracle oracle(random.spec);
    const auto set = random.Subset();
    const Reclaim freed = graph.FreedBy(set).space;
    ASSERT_EQ(freed, oracle.FreedBy(random.IdsOf(set), random.ids)) << "seed " << seed;
    ASSERT_EQ(graph.Dead(), oracle.Dead()) << "seed " << seed;
    ASSERT_EQ(graph.FreedByAll(), oracle.FreedBy(random.ids, random.ids)) << "seed " << seed;
    if (freed.bytes > 0) ++freeing;
    if (freed.bytes > 0 && freed.bytes < graph.FreedByAll().bytes) ++partly;
  }
  EXPECT_GT(freeing, kCases / kShares / 10) << "the worlds must show it";
  EXPECT_GT(partly, kCases / kShares / 50);
}

TEST(LayerGraphProperty, AddsUpToTheFigureOfTheSetInAnyOrder) {
  for (std::uint64_t seed = 0; seed < kCases; ++seed) {
    RandomSpec random(seed);
    const LayerGraph graph(random.spec.Build(), random.images);
    auto order = random.Subset();
    std::ranges::shuffle(order, random.random());
    IncrementalReclaim marginal(graph);
    Reclaim sum;
    for (const auto image : order) {
      const Reclaim gain = marginal.Gain(image);
      ASSERT_EQ(marginal.Gain(image), gain) << "asking changes nothing, seed " << seed;
      ASSERT_EQ(marginal.Add(image), gain) << "seed " << seed;
      ASSERT_EQ(marginal.Add(image), Reclaim{}) << "once, seed " << seed;
      sum += gain;
    }
    ASSERT_EQ(sum, marginal.total()) << "seed " << seed;
    ASSERT_EQ(sum, graph.FreedBy(order).space) << "seed " << seed;
  }
}

TEST(LayerGraphProperty, FreesNoLessWithALargerSet) {
  for (std::uint64_t seed = 0; seed < kCases; ++seed) {
    RandomSpec random(seed);
    const LayerGraph graph(random.spec.Build(), random.images);
    if (random.images.empty()) continue;
    const auto small = random.Subset();
    auto large = small;
    for (const auto more : random.Subset()) large.push_back(more);
    ASSERT_LE(graph.FreedBy(small).space.bytes, graph.FreedBy(large).space.bytes);
    IncrementalReclaim before(graph, small), after(graph, large);
    const ImagePos image(
        static_cast<std::size_t>(random.Below(static_cast<int>(random.images.size()))));
    if (!after.Contains(image)) {
      ASSERT_LE(before.Gain(image).bytes, after.Gain(image).bytes) << "seed " << seed;
    }
  }
}

TEST(LayerGraphProperty, DoesNotDependOnTheOrderOfTheLists) {
  for (std::uint64_t seed = 0; seed < kCases; ++seed) {
    RandomSpec random(seed);
    const auto set = random.Subset();
    const LayerGraph graph(random.spec.Build(), random.images);
    const Freed freed = graph.FreedBy(set);

    ByImage<ImagePos> order;
    std::ranges::copy(Positions(random.images), std::back_inserter(order));
    std::ranges::shuffle(order, random.random());
    std::vector<Image> images;
    for (const auto at : order) images.push_back(random.images[at]);
    std::vector<ImagePos> same;
    for (const ImagePos at : Positions(order))
      if (std::ranges::count(set, order[at]) > 0) same.push_back(at);
    random.spec.Shuffle(random.random());
    const LayerGraph again(random.spec.Build(), images);
    const Freed shuffled = again.FreedBy(same);
    ASSERT_EQ(freed.space, shuffled.space) << "seed " << seed;
    ASSERT_EQ(freed.certainty, shuffled.certainty) << "seed " << seed;
    ASSERT_EQ(freed.why, shuffled.why) << "seed " << seed;
    for (const ImagePos at : Positions(order))
      ASSERT_EQ(graph.Use(order[at]), again.Use(at)) << "seed " << seed;
  }
}

// Each blob and each snapshot once, and everything that is dead by either way of marking.
TEST(LayerGraphProperty, AccountsAddUpToAllThatIsThere) {
  for (std::uint64_t seed = 0; seed < kCases; ++seed) {
    RandomSpec random(seed);
    const LayerGraph graph(random.spec.Build(), random.images);
    const Breakdown accounts = BreakDown(graph, random.images);
    std::set<std::string> files;
    for (const auto& blob : random.spec.blobs) files.insert(blob.digest);
    ASSERT_EQ(accounts.Total().blobs, files.size()) << "seed " << seed;
    ASSERT_EQ(accounts.Total().snapshots, random.spec.snapshots.size()) << "seed " << seed;
    ASSERT_EQ(accounts.Of(UsageCategory::kDead), graph.Dead()) << "seed " << seed;
  }
}

}  // namespace
}  // namespace imagesweep::layers
