#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <variant>

#include "agent/execute/examine.h"
#include "agent/model/evidence.h"
#include "agent/model/image_index.h"
#include "agent/model/ports.h"

namespace imagesweep {

// The image may go; `looked_at` is when the newest container list was complete.
struct StillUnused {
  SteadyTime looked_at;
};
// It came into use, was pinned, renamed, or is gone: leave it.
struct NotAnyMore {
  std::string why;
};
using LookResult = std::variant<StillUnused, NotAnyMore, Refusal>;

// Looks at one image once more, right before it is removed.  CRI offers neither a lock nor
// compare-and-delete (containerd removes the image of a running container), so this second look is
// all there is: it narrows the race, it does not close it.
class LastLook {
 public:
  // `pods` is null when told to do without Kubernetes.
  LastLook(RuntimeReader& runtime, PodReader* pods, const Expectations& expected,
           const Clock& clock)
      : runtime_(runtime), pods_(pods), expected_(expected), clock_(clock) {}

  // `planned` is the image as the plan knew it, one of `evidence.images`, which `index` is of.
  LookResult Look(const Image& planned, const Evidence& evidence, const ImageIndex& index,
                  const std::stop_token& stop);

 private:
  std::optional<LookResult> LookAtImage(const Image& planned, const std::stop_token& stop);

  Status ReadPods(Millis max_age, std::optional<PodEvidence>& into, const std::stop_token& stop);

  RuntimeReader& runtime_;
  PodReader* pods_;
  const Expectations& expected_;
  const Clock& clock_;
};

}  // namespace imagesweep
