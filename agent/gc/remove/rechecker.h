#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <variant>
#include <vector>

#include "agent/gc/remove/validate_evidence.h"
#include "agent/model/evidence.h"
#include "agent/model/image_index.h"
#include "agent/model/plan.h"
#include "agent/model/ports.h"

namespace imagesweep {

// The findings of a recheck.
struct RecheckResult {
  // When the newest list of containers was requested.  The list may be as old as the request.
  // SteadyTime{}: no image can be removed, so the containers were not read.
  SteadyTime at;
  Millis listing_took{0};     // until all containers were known
  std::vector<Image> listed;  // all images of the runtime; empty: not requested
  // Parallel to the rechecked images: why the image must stay (in use, pinned, renamed, or gone).
  // Empty: it can be removed.
  std::vector<std::string> skipped;
};
// The maximum age of a recheck at a removal, counted from the request of its containers, and the
// number of stale rechecks in a row after which the run stops.
inline constexpr std::chrono::milliseconds kMaxRecheckWindow{50};
inline constexpr int kMaxStaleRechecks = 3;
// The minimum time to repeat stale rechecks, because a node under load or a throttled process is
// sometimes late.
inline constexpr std::chrono::milliseconds kKeepRechecking{2'000};
using RecheckAnswer = std::variant<RecheckResult, Refusal>;

// The input of a recheck.
struct RecheckRequest {
  const std::vector<ImagePos>& planned;  // positions in `evidence.images`
  // Parallel to them: the removal has begun, so some of the image's names may be missing.
  std::vector<bool> begun;
  // False: read a single image by its ID instead of the list.
  bool list_all = true;
  // Without a watch, read the pods again if their list was requested before this time.
  SteadyTime since;
};

// Rechecks images right before their removal.  The CRI has neither a lock nor compare-and-delete
// (containerd removes the image of a running container), so a recheck narrows the race but does not
// close it.
class Rechecker {
 public:
  // `pods` is null with --without-kubernetes.  `workloads` is null if they are not read.
  Rechecker(RuntimeReader& runtime, PodReader* pods, WorkloadReader* workloads,
            const Expectations& expected, const Clock& clock)
      : runtime_(runtime), pods_(pods), workloads_(workloads), expected_(expected), clock_(clock) {}

  // `index` is of `evidence.images`.  `remover` reads the containers that the CRI does not list.
  RecheckAnswer Recheck(const RecheckRequest& asked, const Evidence& evidence,
                        const ImageIndex& index, ImageRemover& remover,
                        const std::stop_token& stop);

 private:
  class RecheckedImages;
  std::optional<Refusal> RecheckWorkloads(RecheckedImages& images, const std::stop_token& stop);
  std::optional<Refusal> RecheckUse(RecheckedImages& images, ImageRemover& remover,
                                    SteadyTime since, const std::stop_token& stop);
  // Reads all containers, including those outside of the CRI.
  Result<std::vector<ImageReference>> ReadContainers(const RuntimeUse& use, ImageRemover& remover,
                                                     RecheckResult& result,
                                                     const std::stop_token& stop);
  Status ReadPods(Millis max_age, std::optional<PodEvidence>& into, const std::stop_token& stop);

  RuntimeReader& runtime_;
  PodReader* pods_;
  WorkloadReader* workloads_;
  const Expectations& expected_;
  const Clock& clock_;
};

}  // namespace imagesweep
