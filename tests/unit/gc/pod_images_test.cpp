#include <gmock/gmock.h>

#include "agent/gc/plan/planner.h"
#include "agent/kube/pods/pod_parser.h"
#include "tests/support/observation.h"

namespace imagesweep {
namespace {

// R08: from the pod as the API server returns it to a plan that removes everything it may.
TEST(PodImages, KeepsImagesNamedInAnyFieldOfAPod) {
  const char* const pod = R"({
    "metadata": {"namespace": "shop", "name": "api", "uid": "u", "resourceVersion": "7"},
    "spec": {
      "nodeName": "node1",
      "initContainers": [{"name": "init", "image": "r.io/init:1"},
                         {"name": "sidecar", "image": "r.io/sidecar:1", "restartPolicy": "Always"}],
      "containers": [{"name": "main", "image": "r.io/main:b"}],
      "ephemeralContainers": [{"name": "debug", "image": "r.io/debug:1"}],
      "volumes": [{"name": "model", "image": {"reference": "r.io/model:1"}},
                  {"name": "scratch", "emptyDir": {}}]},
    "status": {"phase": "Running",
               "containerStatuses": [{"name": "main", "image": "r.io/main:a", "imageID": "r.io/main@DIGEST"}]}})";
  std::string text = pod;
  text.replace(text.find("DIGEST"), 6, Id("digest-a"));
  const auto json = kube::ParseStrict(text);
  ASSERT_TRUE(json);
  const auto parsed = kube::ParsePod(*json);
  ASSERT_TRUE(parsed) << parsed.error().what;

  ObservationBuilder seen;
  for (const char* name :
       {"init:1", "sidecar:1", "main:b", "debug:1", "model:1", "main:a", "main:c"})
    seen.Add(Img(name, {std::string_view("r.io/" + std::string(name))}));
  seen.Add(Img("a", {"elsewhere.io/main:moved"}));  // the image of the digest in the status
  seen.seen().references = parsed->references;
  Policy policy = Policy::Default();
  policy.limits.max_percent_of_images = 100;
  policy.keep.last_per_repository = 0;
  const Plan plan = MakePlan(policy, seen.seen());

  for (const Decision& decision : plan.decisions) {
    const std::string& name = seen.seen().images[decision.image].tags[0].text();
    EXPECT_EQ(decision.code == Code::kInUse, name != "r.io/main:c")
        << name << ": " << decision.reason;
  }
}

}  // namespace
}  // namespace imagesweep
