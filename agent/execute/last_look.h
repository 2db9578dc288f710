#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <variant>
#include <vector>

#include "agent/execute/examine.h"
#include "agent/model/evidence.h"
#include "agent/model/image_index.h"
#include "agent/model/plan.h"
#include "agent/model/ports.h"

namespace imagesweep {

// What the recheck of some images or names found.
struct Looked {
  // When the newest container list was asked for, which is as old as that whenever the answer came;
  // 0: nothing may go.
  SteadyTime at;
  Millis listing_took{0};     // until all containers were known
  std::vector<Image> listed;  // all that the runtime has; empty when not asked for
  // Parallel to them: why it must stay (it came into use, was pinned, renamed, or is gone); empty:
  // it may go.
  std::vector<std::string> spared;
};
// How long after its containers were asked for a recheck may be acted on, and how many in a row may
// come too late.
inline constexpr std::chrono::milliseconds kMaxRecheckWindow{50};
inline constexpr int kMaxLooksInVain = 3;
// Those that come too late are repeated for so long at least: a node under load, or one that
// throttles us, is late now and then.
inline constexpr std::chrono::milliseconds kKeepRechecking{2'000};
using LookResult = std::variant<Looked, Refusal>;

// What is rechecked.
struct Rechecked {
  const std::vector<std::uint32_t>& planned;  // positions in `evidence.images`
  // Parallel to them: its removal has begun, so that some of its names may be missing.
  std::vector<bool> begun;
  // One image alone is asked for by its id, unless `list_all`.
  bool list_all = true;
  // A pod list that was asked for before this is listed anew where nobody watches.
  SteadyTime since;
};

// Looks at images once more, right before they are removed.  CRI offers neither a lock nor
// compare-and-delete (containerd removes the image of a running container), so this second look is
// all there is: it narrows the race, it does not close it.
class LastLook {
 public:
  // `pods` is null when told to do without Kubernetes, `workloads` when nothing reads them.
  LastLook(RuntimeReader& runtime, PodReader* pods, WorkloadReader* workloads,
           const Expectations& expected, const Clock& clock)
      : runtime_(runtime), pods_(pods), workloads_(workloads), expected_(expected), clock_(clock) {}

  // `index` is of `evidence.images`.  `remover` tells of the containers that the CRI does not list.
  LookResult Look(const Rechecked& asked, const Evidence& evidence, const ImageIndex& index,
                  ImageRemover& remover, const std::stop_token& stop);
  // The same of names: whoever names one keeps it, and no image is to lose its last tag of a
  // repository.
  LookResult LookAtNames(const std::vector<NameToDrop>& planned, const Evidence& evidence,
                         const ImageIndex& index, const std::stop_token& stop);

 private:
  class Subject;
  class Images;
  class Names;
  LookResult LookAt(Subject& subject, ImageRemover* remover, SteadyTime since,
                    const std::stop_token& stop);
  std::optional<Refusal> LookAtWorkloads(Subject& subject, const std::stop_token& stop);
  std::optional<Refusal> LookAtUse(Subject& subject, ImageRemover* remover, SteadyTime since,
                                   const std::stop_token& stop);
  // All containers there are, however few calls that takes.
  Result<std::vector<ImageReference>> ReadContainers(const RuntimeUse& use, ImageRemover* remover,
                                                     Looked& looked, const std::stop_token& stop);
  Status ReadPods(Millis max_age, std::optional<PodEvidence>& into, const std::stop_token& stop);

  RuntimeReader& runtime_;
  PodReader* pods_;
  WorkloadReader* workloads_;
  const Expectations& expected_;
  const Clock& clock_;
};

}  // namespace imagesweep
