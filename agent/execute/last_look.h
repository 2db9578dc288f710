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
#include "agent/model/ports.h"

namespace imagesweep {

// What the last look at some images found.
struct Looked {
  SteadyTime at;              // when the newest container list was complete; 0: nothing may go
  std::vector<Image> listed;  // all that the runtime has; empty when not asked for
  // Parallel to them: why it must stay (it came into use, was pinned, renamed, or is gone); empty:
  // it may go.
  std::vector<std::string> spared;
};
// How long what a look found may be acted on, and how many in a row may come too late.
inline constexpr std::chrono::milliseconds kMaxRecheckWindow{50};
inline constexpr int kMaxLooksInVain = 3;
using LookResult = std::variant<Looked, Refusal>;

// Looks at images once more, right before they are removed.  CRI offers neither a lock nor
// compare-and-delete (containerd removes the image of a running container), so this second look is
// all there is: it narrows the race, it does not close it.
class LastLook {
 public:
  // `pods` is null when told to do without Kubernetes, `workloads` when nothing reads them.
  LastLook(RuntimeReader& runtime, PodReader* pods, WorkloadReader* workloads,
           const Expectations& expected, const Clock& clock)
      : runtime_(runtime), pods_(pods), workloads_(workloads), expected_(expected), clock_(clock) {}

  // `planned`: positions in `evidence.images`, which `index` is of.  One image alone is asked for
  // by its id, unless `list_all`.
  LookResult Look(const std::vector<std::uint32_t>& planned, bool list_all,
                  const Evidence& evidence, const ImageIndex& index, const std::stop_token& stop);

 private:
  class Subject;
  std::optional<Refusal> LookAtWorkloads(Subject& subject, const std::stop_token& stop);
  std::variant<SteadyTime, Refusal> LookAtUse(Subject& subject, const std::stop_token& stop);
  Status ReadPods(Millis max_age, std::optional<PodEvidence>& into, const std::stop_token& stop);

  RuntimeReader& runtime_;
  PodReader* pods_;
  WorkloadReader* workloads_;
  const Expectations& expected_;
  const Clock& clock_;
};

}  // namespace imagesweep
