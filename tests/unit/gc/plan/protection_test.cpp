#include <gtest/gtest.h>

#include "agent/gc/plan/planner.h"
#include "tests/support/observation.h"

namespace imagesweep {
namespace {

// The policy removes everything it may, so only protections keep an image.
Policy FreeAll() {
  Policy policy;
  policy.minimum_age = Millis(0);
  policy.maximum_age = Millis(1);
  policy.limits.max_percent_of_images = 100;
  policy.limits.max_images = 1'000'000;
  return policy;
}

struct Protected {
  const char* why;
  Observation seen;
  Code code;
};

TEST(Protection, TheFirstReasonToKeepDecides) {
  Policy policy = FreeAll();
  policy.minimum_age = std::chrono::hours(1);
  policy.keep.images.push_back(*ImageGlob::Parse("kept"));
  policy.keep.tags.push_back("release-*");
  Image pinned = Img("p", {"app:1"});
  pinned.pinned = true;
  Image local = Img("l", {"app:1"});
  MakeLocal(local);
  ObservationBuilder in_use, both, sandbox, self;
  in_use.Add(Img("u", {"app:1"})).Use("app:1");
  both.Add(pinned).Use("app:1");
  sandbox.Add(Img("s", {"reg.io/infra:3"})).seen().sandbox_images = {"reg.io/infra:3"};
  self.Add(Img("i", {"reg.io/imagesweep:1"})).seen().own_images = {Id("i")};
  const Protected cases[] = {
      {"a pod uses it", in_use.seen(), Code::kInUse},
      {"in use beats pinned", both.seen(), Code::kInUse},
      {"pinned", ObservationBuilder().Add(pinned).seen(), Code::kPinned},
      {"the configured pause image", sandbox.seen(), Code::kSandbox},
      {"named pause", ObservationBuilder().Add(Img("z", {"eks/pause:3.5"})).seen(), Code::kSandbox},
      {"k3s' pause", ObservationBuilder().Add(Img("z", {"rancher/mirrored-pause:3.6"})).seen(),
       Code::kSandbox},
      {"our own", self.seen(), Code::kSelf},
      {"a keep pattern", ObservationBuilder().Add(Img("k", {"kept:9"})).seen(), Code::kKeepRule},
      {"a keep tag", ObservationBuilder().Add(Img("k", {"app:release-1"})).seen(), Code::kKeepRule},
      {"one protected name protects the image",
       ObservationBuilder().Add(Img("k", {"app:1", "kept:9"})).seen(), Code::kKeepRule},
      {"cannot be pulled again", ObservationBuilder().Add(local).seen(), Code::kLocalOnly},
      {"young", ObservationBuilder().Add(Img("y", {"app:1"}), std::chrono::minutes(59)).seen(),
       Code::kTooYoung},
  };
  for (const auto& [why, seen, code] : cases) {
    const Plan plan = MakePlan(policy, seen);
    EXPECT_EQ(plan.decisions[ImagePos(0)].verdict, Verdict::kKeep) << why;
    EXPECT_EQ(plan.decisions[ImagePos(0)].code, code)
        << why << ": " << plan.decisions[ImagePos(0)].reason;
    EXPECT_TRUE(plan.removals.empty()) << why;
  }
}

TEST(Protection, LocalOnlyImagesGoOnlyWhenThePolicySaysNever) {
  Image local = Img("l", {"app:1"});
  MakeLocal(local);
  Policy policy = FreeAll();
  policy.keep.local_only = LocalOnly::kNever;
  EXPECT_EQ(MakePlan(policy, ObservationBuilder().Add(local).seen()).decisions[ImagePos(0)].code,
            Code::kAge);
}

// R01, R02: every name of one image protects the whole image.
TEST(Protection, APodThatUsesOneNameKeepsAllNames) {
  const Image image = Img("x", {"docker.io/library/x:1", "quay.io/y/x:9", "quay.io/y/x:2"});
  for (const std::string& form :
       {std::string("x:1"), std::string("quay.io/y/x:9"), std::string("quay.io/y/x:2"),
        "quay.io/y/x@" + Id("digest-x"), Id("x"), Id("x").substr(7)}) {
    ObservationBuilder seen;
    seen.Add(image).Use(form);
    EXPECT_EQ(MakePlan(FreeAll(), seen.seen()).decisions[ImagePos(0)].code, Code::kInUse) << form;
  }
}

// R03: x:latest moved to a new digest, but the container still runs the old ID.
TEST(Protection, ADanglingImageStaysWhileItsContainerExistsAndGoesByIdAfterwards) {
  Image old = Img("old", {"x:latest"});
  old.tags.clear();
  ObservationBuilder seen;
  seen.Add(old)
      .Add(Img("new", {"x:latest"}))
      .Use(Id("old"), {ImageUserKind::kContainer, "shop", "api", "web"});
  EXPECT_EQ(MakePlan(FreeAll(), seen.seen()).decisions[ImagePos(0)].code, Code::kInUse);

  seen.seen().references.clear();
  seen.Use("x:latest");
  EXPECT_EQ(MakePlan(FreeAll(), seen.seen()).decisions[ImagePos(0)].code, Code::kAge)
      << "it may have been pulled by digest";
  seen.seen().ages[ImagePos(0)].lost_tag = true;
  const Plan plan = MakePlan(FreeAll(), seen.seen());
  EXPECT_EQ(plan.decisions[ImagePos(0)].code, Code::kDangling);
  EXPECT_EQ(plan.decisions[ImagePos(0)].superseded_by, "docker.io/library/x:latest");
  EXPECT_EQ(plan.removals, ImagesAt(0));
}

// `docker commit` and `docker build -q` make images that only their ID names, and `docker load`
// brings such images.
TEST(Protection, AnImageThatNeverHadANameIsNeitherDanglingNorReplaced) {
  Image nameless = Img("saved", {"x:1"});
  nameless.tags.clear();
  nameless.digests.clear();
  MakeLocal(nameless);
  ObservationBuilder seen;
  seen.Add(nameless).Add(Img("x", {"x:2"}));
  Policy policy = FreeAll();
  policy.maximum_age = Millis(0);
  policy.keep.local_only = LocalOnly::kUnlessSuperseded;
  const auto decision = [&] { return MakePlan(policy, seen.seen()).decisions[ImagePos(0)]; };
  EXPECT_EQ(decision().code, Code::kLocalOnly);
  EXPECT_TRUE(decision().reason.ends_with("nothing shows that it ever had a tag"))
      << decision().reason;
  policy.keep.local_only = LocalOnly::kNever;
  EXPECT_EQ(decision().code, Code::kIdle);
  seen.seen().ages[ImagePos(0)].lost_tag = true;
  EXPECT_EQ(decision().code, Code::kDangling);
  policy.keep.local_only = LocalOnly::kUnlessSuperseded;
  EXPECT_EQ(decision().code, Code::kDangling);
}

TEST(Protection, AnImagePulledByDigestIsNotDangling) {
  Image by_digest = Img("d", {"solo:1"});
  by_digest.tags.clear();
  Policy policy = FreeAll();
  policy.maximum_age = Millis(0);
  EXPECT_EQ(
      MakePlan(policy, ObservationBuilder().Add(by_digest).seen()).decisions[ImagePos(0)].code,
      Code::kIdle);
}

// R05
TEST(Protection, AnUnqualifiedPodImageKeepsEverySamePathCandidateUntilTheStatusShowsWhich) {
  ObservationBuilder seen;
  seen.Add(Img("q", {"quay.io/app:1"}))
      .Add(Img("d", {"docker.io/library/app:1"}))
      .Add(Img("z", {"reg.io/z/app:1"}));
  seen.Use("app:1");
  EXPECT_TRUE(MakePlan(FreeAll(), seen.seen()).removals.empty());
  seen.seen().references[0].resolved = Id("q");
  EXPECT_EQ(MakePlan(FreeAll(), seen.seen()).removals, ImagesAt(2));
}

// R09: nothing shows the pause image as the image of a container. The configuration names it in
// every form.
TEST(Protection, KeepsThePauseImageInEveryFormOfItsName) {
  const Image pause = Img("p", {"registry.k8s.io/infra/sandbox:3.6", "sandbox:3.6"});
  for (const std::string& name :
       {std::string("sandbox:3.6"), std::string("registry.k8s.io/infra/sandbox:3.6"),
        "registry.k8s.io/infra/sandbox@" + Id("digest-p"), Id("p")}) {
    ObservationBuilder seen;
    seen.Add(pause).Disk(1000, 1).seen().sandbox_images = {name};
    EXPECT_EQ(MakePlan(FreeAll(), seen.seen()).decisions[ImagePos(0)].code, Code::kSandbox) << name;
  }
}

}  // namespace
}  // namespace imagesweep
