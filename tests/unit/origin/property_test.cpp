#include <gtest/gtest.h>

#include <random>
#include <set>

#include "agent/gc/observe/origins.h"
#include "agent/gc/plan/planner.h"
#include "agent/runtime/cri/repo_digests.h"
#include "tests/support/observation.h"

// With keep.localOnly: Always, no image is removed without evidence, for any combination of names,
// digests, labels, and runtimes. The oracle knows which images were really pulled, because it made
// the world. The code sees only what a runtime would show.

namespace imagesweep {
namespace {

constexpr std::uint64_t kCases = 100'000;

struct MetadataSnapshot {
  explicit MetadataSnapshot(std::uint64_t seed) : random(seed) {
    constexpr const char* kNames[] = {"containerd", "docker", "cri-o", "other", ""};
    constexpr const char* kDocker[] = {"20.10.24+dfsg1", "28.5.1", "29.0.0", "library-import", "1"};
    runtime.name = kNames[Below(5)];
    runtime.version = runtime.name == "docker" ? kDocker[Below(5)] : "1.34.0";
    own_store = runtime.name == "docker" && (runtime.version[0] == '2' && runtime.version[1] < '9');
    for (int i = 1 + Below(4); i > 0; --i) AddImage();
  }
  int Below(int n) { return static_cast<int>(random() % static_cast<std::uint64_t>(n)); }
  std::string Repository() {
    constexpr const char* kRepositories[] = {"shop.example/app", "127.0.0.1:5000/app",
                                             "docker.io/library/overlayfs", "docker.io/team/app"};
    return kRepositories[Below(4)];
  }
  void AddImage() {
    const std::string word = "image" + std::to_string(images.size());
    Image image;
    image.id = ImageId(Id(word));
    image.size_bytes = 1;
    const std::string manifest =
        runtime.name == "docker" && !own_store ? image.id.text() : Id("m" + word);
    std::set<std::string> from;
    for (int i = Below(3); i > 0; --i) from.insert(Repository());
    for (int i = Below(3); i > 0; --i) {
      const std::string repository = Below(2) == 0 && !from.empty() ? *from.begin() : Repository();
      image.tags.push_back(ImageName::Parse(repository + ":v" + std::to_string(Below(3))));
    }
    // Docker's own store has true entries. All others also have entries without a pull.
    for (const std::string& repository : from)
      image.digests.push_back(ImageName::Parse(repository + "@" + manifest));
    if (!own_store && Below(2) == 0)
      image.digests.push_back(ImageName::Parse(Repository() + "@" + manifest));
    std::vector<OriginProof> seen;
    const bool leaves_labels = runtime.name == "containerd" && Below(3) != 0;
    if (leaves_labels)
      for (const std::string& repository : from)
        seen.push_back({repository, repository + "@" + manifest, "label"});
    evident.push_back(leaves_labels || own_store);
    pulled_from.push_back(std::move(from));
    labels.push_back(std::move(seen));
    images.push_back(std::move(image));
  }

  std::mt19937_64 random;
  RuntimeIdentity runtime;
  bool own_store = false;
  ByImage<Image> images;
  ByImage<std::set<std::string>> pulled_from;
  ByImage<bool> evident;  // whether the runtime keeps the proof
  std::vector<std::vector<OriginProof>> labels;
};

struct Labels final : OriginSource {
  explicit Labels(const MetadataSnapshot& its) : metadata(its) {}
  Result<OriginFindings> Find(std::span<const Image>, const RuntimeIdentity&,
                              const std::stop_token&) override {
    return OriginFindings{metadata.labels, "no label", {}};
  }
  const MetadataSnapshot& metadata;
};

TEST(OriginProperty, KeepsEveryImageWithoutEvidenceUnderLocalOnlyAlways) {
  Policy policy = Policy::Default();
  policy.keep.images.clear();
  policy.maximum_age = Millis(1);
  policy.limits = {1000, 0, 100, Millis(0), 5, 1};
  std::size_t went = 0, stayed = 0;
  for (std::uint64_t seed = 0; seed < kCases; ++seed) {
    MetadataSnapshot metadata(seed);
    Labels labels(metadata);
    cri::RepoDigests digests;
    OriginJudge({&labels, &digests}).Fill(metadata.images, metadata.runtime, {});
    ObservationBuilder builder;
    for (const Image& image : metadata.images) builder.Add(image);
    const Plan plan = MakePlan(policy, builder.seen());
    for (const auto at : plan.removals) {
      const Image& image = metadata.images[at];
      ASSERT_TRUE(metadata.evident[at]) << seed << " " << metadata.runtime.name;
      ASSERT_FALSE(metadata.pulled_from[at].empty()) << seed;
      for (const ImageName& tag : image.tags)
        ASSERT_TRUE(metadata.pulled_from[at].contains(std::string(tag.repository())))
            << seed << " " << tag.text();
      // The proof also gives the reference for a new pull.
      const auto by = ImageName::Parse(image.origin.pull_by);
      ASSERT_TRUE(metadata.pulled_from[at].contains(std::string(by.repository()))) << seed;
      ASSERT_FALSE(by.digest().empty()) << seed;
    }
    went += plan.removals.size();
    stayed += metadata.images.size() - plan.removals.size();
  }
  EXPECT_GT(went, kCases / 20) << "the rule would also hold where nothing ever goes";
  EXPECT_GT(stayed, kCases / 20);
}

}  // namespace
}  // namespace imagesweep
