#pragma once

#include <optional>

#include "agent/model/evidence.h"
#include "agent/model/image_index.h"

namespace imagesweep {

// What the evidence must contain to be believed; constant for the life of the process.
struct Expectations {
  std::optional<OwnPod> own_pod;
  Millis max_pod_list_age{10'000};
};

// One look at both halves, without copies.
struct View {
  const std::vector<Image>& images;
  const ImageIndex& index;  // of `images`
  const RuntimeUse& use;
  const PodEvidence* pods;  // null: told to do without Kubernetes
};

// Pure: can this evidence be the whole truth?  Empty when yes, else which source cannot be trusted
// and why.  Catches a wrong node name, an empty or filtered list, a wrong socket, a half-recovered
// runtime:
//   - the pod list is not empty, recent, and has our own pod;
//   - every ready sandbox that a kubelet made belongs to a listed pod (mirror pods by name);
//   - the runtime lists containers where there are pods, our own among them;
//   - the containers' images resolve to listed images, our own among them;
//   - the pause image is known where there are sandboxes.
std::optional<Refusal> Examine(const View& view, const Expectations& expected, SteadyTime now);

// The references of our own container(s): "Self" of the verdict order.
std::vector<std::string> OwnImages(const RuntimeUse& use, const OwnPod& own);

}  // namespace imagesweep
