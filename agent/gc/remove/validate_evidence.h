#pragma once

#include <optional>

#include "agent/model/evidence.h"
#include "agent/model/image_index.h"

namespace imagesweep {

// The requirements for valid evidence.  Constant for the life of the process.
struct Expectations {
  std::optional<OwnPod> own_pod;
  Millis max_pod_list_age{10'000};
};

// A view of the evidence of runtime and Kubernetes, without copies.
struct EvidenceView {
  const std::vector<Image>& images;
  const ImageIndex& index;  // of `images`
  const RuntimeUse& use;
  const PodEvidence* pods;  // null: --without-kubernetes
};

// Checks that the evidence is complete and consistent.  Empty: it is.  Else the source that cannot
// be trusted, and why.  Detects a wrong node name, an empty or filtered list, a wrong socket, and a
// partly recovered runtime:
//   - the pod list is not empty, is recent, and has imagesweep's own pod;
//   - every ready sandbox of a kubelet belongs to a listed pod (mirror pods by name);
//   - if there are pods, the runtime lists containers, including imagesweep's own;
//   - the images of the containers resolve to listed images, including imagesweep's own;
//   - if there are sandboxes, the pause image is known.
// Pure.
std::optional<Refusal> ValidateEvidence(const EvidenceView& view, const Expectations& expected,
                                        SteadyTime now);

// The references of imagesweep's own containers: "Self" of the verdict order.
std::vector<std::string> OwnImages(const RuntimeUse& use, const OwnPod& own);

}  // namespace imagesweep
