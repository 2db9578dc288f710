#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "agent/gc/plan/explain.h"
#include "agent/gc/plan/planner.h"
#include "tests/support/observation.h"

// Images whose names admission changed after the workload named them.

namespace imagesweep {
namespace {

using testing::ElementsAre;

// Removes every image that nothing needs.
Policy RemovingTheRest() {
  Policy policy;
  policy.minimum_age = Millis(0);
  policy.maximum_age = Millis(1);
  policy.limits = {1000, 0, 100, Millis(0), 5, 1};
  policy.keep = {};
  policy.keep.images.clear();
  policy.keep.tags.clear();
  policy.keep.last_per_repository = 0;
  policy.keep.workloads.enabled = true;
  return policy;
}

WorkloadReference CronJob(std::string text) {
  return {std::move(text), "CronJob", "shop", "nightly", "main", 0, 0, false};
}
WorkloadReference Revision(std::string text, int back) {
  return {std::move(text), "Deployment", "shop", "api", "main", 9 - back, back, false};
}

// An image as a runtime lists it after a pull by digest.
Image ByDigest(const std::string& name) {
  Image image = Img(name, {});
  image.digests.push_back(ImageName::Parse(name));
  image.origin = {OriginKind::kPulled, "pulled by the test", name};
  return image;
}

Step WorkloadStep(const Policy& policy, const Observation& seen, ImagePos image) {
  const PlanContext context(policy, seen);
  const auto steps = Explain(context, MakePlan(context), image).steps;
  return *std::ranges::find(steps, Code::kWorkload, &Step::code);
}

TEST(Admission, KeepsImagesOfAWebhookThatReplacesTheRegistry) {
  ObservationBuilder seen;
  for (const char* name : {"mirror.example/docker.io/shop/app:v1", "mirror.example/shop/app:v2",
                           "mirror.example/shop/app:v3"})
    seen.Add(Img(name, {name}));
  seen.seen().workloads = {Revision("docker.io/shop/app:v2", 1), CronJob("docker.io/shop/app:v1")};
  const Plan plan = MakePlan(RemovingTheRest(), seen.seen());
  EXPECT_EQ(plan.removals, ImagesAt(2));
  EXPECT_EQ(plan.decisions[ImagePos(0)].code, Code::kWorkload);
  EXPECT_THAT(plan.decisions[ImagePos(0)].needed_by, ElementsAre(1));
  EXPECT_EQ(plan.decisions[ImagePos(0)].reason,
            "named by CronJob shop/nightly as docker.io/shop/app:v1, which admission may change to "
            "this name");
}

TEST(Admission, KeepsImagesOfAWebhookThatPinsTagsToDigests) {
  ObservationBuilder seen;
  seen.Add(ByDigest("docker.io/shop/app@" + Id("pinned")))
      .Add(ByDigest("docker.io/shop/app@" + Id("moved")))
      .Add(ByDigest("docker.io/shop/other@" + Id("other")))
      .Add(Img("now", {"docker.io/shop/app:v1"}));
  seen.seen().ages[ImagePos(1)].lost_tag = true;
  seen.seen().ages[ImagePos(1)].lost_tags = {ImageName::Parse("docker.io/shop/app:v1")};
  seen.seen().workloads = {Revision("docker.io/shop/app:v1", 2)};
  const Plan plan = MakePlan(RemovingTheRest(), seen.seen());
  EXPECT_THAT(plan.removals, ElementsAre(ImagePos(1), ImagePos(2)));
  EXPECT_EQ(plan.decisions[ImagePos(1)].code, Code::kDangling) << "its tag moved";
  EXPECT_EQ(plan.decisions[ImagePos(0)].reason,
            "named by Deployment shop/api, revision 7 (2 back) as docker.io/shop/app:v1, which "
            "admission may "
            "change to this name");

  // Its pod ran by the digest, and another tag of it moved.
  seen.seen().ages[ImagePos(1)].lost_tags = {ImageName::Parse("docker.io/shop/app:latest")};
  seen.Add(Img("latest", {"docker.io/shop/app:latest"}));
  EXPECT_EQ(MakePlan(RemovingTheRest(), seen.seen()).decisions[ImagePos(1)].code, Code::kWorkload);
}

// It may pin the digest that a lock file has, although the tag moved in the registry.
TEST(Admission, KeepsADigestWhoseTagMovedWhileAWebhookPinsDigests) {
  const std::string digest = "@" + Id("digest-other");
  ObservationBuilder seen;
  seen.Add(ByDigest("docker.io/shop/app@" + Id("moved")))
      .Add(Img("now", {"docker.io/shop/app:v1"}))
      .Add(ByDigest("docker.io/shop/other" + digest));
  seen.seen().ages[ImagePos(0)].lost_tags = {ImageName::Parse("docker.io/shop/app:v1")};
  seen.seen().workloads = {CronJob("docker.io/shop/app:v1")};
  const auto removes_it = [&seen] {
    return MakePlan(RemovingTheRest(), seen.seen()).decisions[ImagePos(0)].verdict ==
           Verdict::kRemove;
  };
  EXPECT_TRUE(removes_it());
  seen.seen().references = {
      {"docker.io/shop/other:v1" + digest, {}, {ImageUserKind::kPod, "shop", "other", "main"}}};
  EXPECT_FALSE(removes_it()) << "a webhook pinned the image of this pod";
  seen.seen().references[0].chosen = false;
  EXPECT_TRUE(removes_it()) << "each status names a digest";
  seen.seen().references[0].chosen = true;
  seen.seen().workloads.push_back(Revision("docker.io/shop/other" + digest, 0));
  EXPECT_TRUE(removes_it()) << "its template names the digest itself";
}

// It waits for its first container, so nothing else names the image.
TEST(Admission, KeepsTheImageOfAPodThatNamesAShortNameAlias) {
  ObservationBuilder seen;
  seen.Add(Img("a", {"quay.io/buildah/stable:v1"})).Add(Img("b", {"quay.io/buildah/stable:v2"}));
  seen.seen().references = {{"buildah:v1", {}, {ImageUserKind::kPod, "ci", "build", "main"}}};
  EXPECT_EQ(MakePlan(RemovingTheRest(), seen.seen()).removals, ImagesAt(0, 1));
  seen.seen().short_name_aliases = true;
  Plan plan = MakePlan(RemovingTheRest(), seen.seen());
  EXPECT_EQ(plan.removals, ImagesAt(1));
  EXPECT_EQ(plan.decisions[ImagePos(0)].code, Code::kInUse);
  seen.Add(Img("c", {"quay.io/other:v1"}));
  seen.seen().references[0].resolved = Id("c");
  plan = MakePlan(RemovingTheRest(), seen.seen());
  EXPECT_EQ(plan.removals, ImagesAt(1)) << "the status may be older than the name";
}

TEST(Admission, KeepsImagesOfShortNameAliases) {
  ObservationBuilder seen;
  seen.Add(Img("a", {"registry.example/team/nightly-backup:v1"}));
  seen.seen().workloads = {CronJob("backup:v1")};
  EXPECT_EQ(MakePlan(RemovingTheRest(), seen.seen()).removals, ImagesAt(0));
  seen.seen().short_name_aliases = true;
  const Plan plan = MakePlan(RemovingTheRest(), seen.seen());
  EXPECT_TRUE(plan.removals.empty());
  EXPECT_EQ(plan.decisions[ImagePos(0)].reason,
            "named by CronJob shop/nightly as backup:v1, which admission or a short-name alias may "
            "change to this name");
}

TEST(Admission, ExplainsWhyAPossibleNeedDoesNotCount) {
  Policy policy = RemovingTheRest();
  policy.keep.workloads.cron_jobs = false;
  ObservationBuilder seen;
  seen.Add(Img("a", {"mirror.example/shop/app:v1"}));
  seen.seen().workloads = {CronJob("docker.io/shop/app:v1")};
  const Step step = WorkloadStep(policy, seen.seen(), ImagePos(0));
  EXPECT_FALSE(step.applies);
  EXPECT_EQ(
      step.evidence,
      "named by CronJob shop/nightly as docker.io/shop/app:v1, which admission may change to this "
      "name, but keep.workloads.cronJobs is false");
  seen.seen().workloads.push_back(Revision("docker.io/shop/app:v1", 1));
  EXPECT_TRUE(WorkloadStep(policy, seen.seen(), ImagePos(0)).applies) << "another one counts";
}

TEST(Admission, NamesTheWorkloadThatCountsBeforeOneThatNamesTheImage) {
  Policy policy = RemovingTheRest();
  policy.keep.workloads.cron_jobs = false;
  ObservationBuilder seen;
  seen.Add(Img("a", {"mirror.example/shop/app:v1"}));
  seen.seen().workloads = {CronJob("mirror.example/shop/app:v1"),
                           Revision("docker.io/shop/app:v1", 0)};
  const Plan plan = MakePlan(policy, seen.seen());
  EXPECT_THAT(plan.decisions[ImagePos(0)].needed_by, ElementsAre(1));
  EXPECT_EQ(plan.decisions[ImagePos(0)].reason,
            "named by Deployment shop/api, revision 9 as docker.io/shop/app:v1, which admission "
            "may change "
            "to this name");
}

// Only an image that a workload names tells which versions are newer, and that its repository is in
// use.
TEST(Admission, APossibleNeedChangesNoRank) {
  Policy policy = RemovingTheRest();
  policy.maximum_age = Millis(0);
  policy.keep.last_per_repository = 1;
  ObservationBuilder seen;
  for (const char* name :
       {"mirror.example/shop/app:v1", "mirror.example/shop/app:v2", "mirror.example/shop/app:v3"})
    seen.Add(Img(name, {name}));
  seen.seen().workloads = {Revision("docker.io/shop/app:v1", 0),
                           Revision("docker.io/shop/app:v2", 1)};
  const Plan plan = MakePlan(policy, seen.seen());
  EXPECT_EQ(plan.decisions[ImagePos(0)].code, Code::kWorkload);
  EXPECT_EQ(plan.decisions[ImagePos(1)].code, Code::kWorkload);
  EXPECT_EQ(plan.decisions[ImagePos(2)].code, Code::kIdle) << "not Retained";
  const PlanContext context(policy, seen.seen());
  for (const ImagePos at : Positions(seen.seen().images)) {
    EXPECT_EQ(context.names(at)[0].rank, 3 - static_cast<int>(at.value())) << "by version";
    EXPECT_FALSE(context.names(at)[0].repository_in_use);
  }
}

// A random cluster with admission.  It composes names as text, independently of the code that reads
// them.
class RandomAdmission {
 public:
  explicit RandomAdmission(std::uint64_t seed) : random_(seed) {}

  struct Name {
    std::string registry;  // may be empty
    std::string path;
    std::string tag;  // may be empty
    std::string digest = {};
    std::string TagOrLatest() const { return tag.empty() ? "latest" : tag; }
    std::string Text() const {
      return (registry.empty() ? "" : registry + "/") + path + (tag.empty() ? "" : ":" + tag) +
             (digest.empty() ? "" : "@" + digest);
    }
  };

  Name Written() { return {Any({"", "docker.io", "quay.io", "host:5000"}), Path(), Tag()}; }

  // As webhooks write it.
  Name Mutated(Name name) {
    const bool hub = name.registry.empty() || name.registry == "docker.io";
    const bool official = hub && name.path.find('/') == std::string::npos;
    const std::string registry =
        hub ? "docker.io" : name.registry.substr(0, name.registry.find(':'));
    const std::string path = (official ? "library/" : "") + name.path;
    switch (Below(4)) {
      case 0:  // the host, with or without library/ of Docker Hub
        name.registry = Mirror();
        if (Below(2) == 0) name.path = path;
        break;
      case 1:  // a host in front of the host
        name.path = registry + "/" + path;
        name.registry = Mirror();
        break;
      case 2:  // a project in front of the path
        name.path = Any({"proxy", "dockerhub/cache"}) + "/" + path;
        if (Below(2) == 0 || name.registry.empty()) name.registry = Mirror();
        break;
      default:
        break;
    }
    if (Below(2) == 0) {
      name.digest = Id("digest" + std::to_string(Below(5)));
      if (Below(2) == 0) name.tag.clear();
    }
    return name;
  }

  // As containerd lists the image of that name.
  Image Listed(const Name& name) {
    Image image;
    image.id = ImageId(Id("image" + std::to_string(++images_)));
    const std::string digest =
        name.digest.empty() ? Id("digest" + std::to_string(Below(5))) : name.digest;
    AddName(name, digest, image);
    // The same image may also have names that have nothing to do with the pod.
    if (Below(4) == 0)
      AddName({"other.example", "team/" + Path(), Tag(), Below(2) == 0 ? digest : ""}, digest,
              image);
    image.origin = {OriginKind::kPulled, "random", image.digests.front().text()};
    return image;
  }

  // The last image may have had a tag, in one of its repositories, that `may_be_lost`.
  template <typename MayBeLost>
  void LoseTags(ObservationBuilder& builder, const MayBeLost& may_be_lost) {
    Observation& seen = builder.seen();
    const Image& image = seen.images.back();
    if (!image.tags.empty() || Below(2) == 0) return;
    ImageAge& age = seen.ages.back();
    age.lost_tag = true;
    for (const ImageName& digest : image.digests) {
      const std::string tag = Name{"", "", Tag()}.TagOrLatest();
      if (may_be_lost(tag))
        age.lost_tags.push_back(ImageName::Parse(std::string(digest.repository()) + ":" + tag));
    }
  }

  int Below(int n) { return static_cast<int>(random_() % static_cast<std::uint64_t>(n)); }

 private:
  static void AddName(const Name& name, const std::string& digest, Image& image) {
    Name tagged = name, by_digest = name;
    tagged.digest.clear();
    by_digest.tag.clear();
    by_digest.digest = digest;
    if (name.digest.empty()) image.tags.push_back(ImageName::Parse(tagged.Text()));
    image.digests.push_back(ImageName::Parse(by_digest.Text()));
  }
  std::string Any(const std::vector<std::string>& texts) {
    return texts[static_cast<std::size_t>(Below(static_cast<int>(texts.size())))];
  }
  std::string Mirror() { return Any({"mirror.example", "mirror.example:8443", "10.0.0.7:5000"}); }
  std::string Path() { return Any({"app", "shop/app", "shop/web", "a/shop/app"}); }
  std::string Tag() { return Any({"", "latest", "v1", "v2", "3f2a9bc"}); }

  std::mt19937_64 random_;
  int images_ = 0;
};

TEST(AdmissionProperty, KeepsTheImageOfTheMutatedPod) {
  std::size_t changed = 0, removed = 0;
  for (std::uint64_t seed = 0; seed < 20'000; ++seed) {
    RandomAdmission admission(seed);
    ObservationBuilder seen;
    // The pods of these workloads ran on the node, and will run again.
    std::vector<std::string> pods;
    for (int w = 1 + admission.Below(3); w > 0; --w) {
      const RandomAdmission::Name name = admission.Written();
      const RandomAdmission::Name mutated = admission.Mutated(name);
      seen.seen().workloads.push_back(admission.Below(2) == 0
                                          ? CronJob(name.Text())
                                          : Revision(name.Text(), admission.Below(3)));
      pods.push_back(mutated.Text());
      seen.Add(admission.Listed(mutated));
      // The image may have lost other tags, but not the one that the workload names.
      admission.LoseTags(seen, [&](const std::string& tag) { return tag != name.TagOrLatest(); });
      changed += name.Text() != mutated.Text() ? 1 : 0;
    }
    for (int other = admission.Below(5); other > 0; --other) {
      seen.Add(admission.Listed(admission.Mutated(admission.Written())));
      admission.LoseTags(seen, [](const std::string&) { return true; });
    }
    const Plan plan = MakePlan(RemovingTheRest(), seen.seen());
    for (std::size_t pod = 0; pod < pods.size(); ++pod)
      ASSERT_EQ(plan.decisions[ImagePos(pod)].code, Code::kWorkload)
          << seen.seen().workloads[pod].text << " became " << pods[pod] << ", seed " << seed;
    removed += plan.removals.size();
  }
  EXPECT_GT(changed, 20'000U) << "the worlds must show it";
  EXPECT_GT(removed, 10'000U) << "a policy that removes nothing shows nothing";
}

}  // namespace
}  // namespace imagesweep
