#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/clock.h"
#include "agent/model/evidence.h"
#include "agent/model/image.h"
#include "agent/model/image_pos.h"
#include "agent/model/reference.h"
#include "agent/model/workload.h"

namespace imagesweep {

enum class Verdict { kKeep, kRemove, kDefer };

// The reason for a verdict.  To kAge in the order of VerdictRules().  The planner decides about the
// others after these rules.
enum class Code {
  kInUse,
  kPinned,
  kSandbox,
  kSelf,
  kWorkload,
  kKeepRule,
  kLocalOnly,
  kTooYoung,
  kRetained,
  kUnknown,
  kRule,
  kDangling,
  kSuperseded,
  kAge,
  kSpace,
  kCritical,
  kIdle,
  kWindow,
  kLimit,
  kNoGain,
};

std::string_view ToString(Verdict verdict);  // "Keep"
std::string_view ToString(Code code);        // "InUse"

// All input of the planner, read before it runs.
struct Observation {
  SystemTime at;
  ByImage<Image> images;
  ByImage<ImageAge> ages;
  std::vector<ImageReference> references;  // of pods and of the runtime, joined
  // References of all workloads of the cluster.  The policy decides which of them count.  Empty if
  // the policy does not need them.
  std::vector<WorkloadReference> workloads;
  bool short_name_aliases = false;  // RuntimeIdentity::has_short_name_aliases()
  std::vector<std::string> sandbox_images;
  std::vector<std::string> own_images;  // the agent's own, if it runs as a pod
  // The image filesystem that matters.  Of several, the fullest one, or with a free-space target
  // the one with the least free space.  Empty: unknown, so no image is removed for space.
  std::optional<DiskUsage> disk;
  // Empty if all are available, else for each image: why this run cannot remove the image, as a
  // clause ("its removal failed, …").  An empty text: it can.
  ByImage<std::string> unavailable = {};

  // Empty: the run can remove the image.
  const std::string& WhyUnavailable(ImagePos image) const;
};

// The verdict on one image.
struct Decision {
  ImagePos image;
  Verdict verdict = Verdict::kKeep;
  Code code = Code::kIdle;
  std::string reason;  // one line, with the evidence
  // For kInUse: positions in Observation::references, each user once.
  std::vector<std::uint32_t> used_by;
  std::string rule;  // the name of the policy's rule that decided; empty: no rule did
  // For kDangling and kSuperseded: the newest name of the same repository.
  std::string superseded_by;
  // The most descriptive of several tags, as a position in Image::tags.
  std::uint32_t main_tag = 0;
  // For kTooYoung: the time until it reaches its minimum age if nothing uses it.  More than zero.
  Millis old_enough_in{0};
  // For kDefer: the cause, "the next window opens at …".  The same text for all images of one
  // cause.
  std::string waits_for = {};
  // For kWorkload: positions in Observation::workloads, each workload that names the image once. If
  // none does, one whose name admission may change to a name of the image.
  std::vector<std::uint32_t> needed_by = {};
  // Bytes that its removal frees after the earlier removals, by the layers.  Empty: unknown.
  std::optional<std::uint64_t> frees = {};
  // For kLimit by limits.confirmRuns: the number of further evaluations in a row that must select
  // the image before it is removed.
  int runs_to_confirm = 0;
};

// True if nothing needs the image and no rule or rollback keeps it: it is removed now or later, or
// is only too young or idle.
bool IsReclaimable(const Decision& decision);

// The candidates that limits.confirmRuns defers.
struct AwaitingConfirmation {
  std::size_t images = 0;
  int fewest_runs = 0;  // more runs until the first of them is confirmed; 0: there are no images
  int most_runs = 0;    // more runs until the last of them is confirmed
};

// One verdict for every image, and the order of the removals.
struct Plan {
  ByImage<Decision> decisions;
  std::vector<ImagePos> removals;  // of kRemove, in the order of removal
  // The free-space target in bytes: the run stops once they are available.  0: no target.
  std::uint64_t free_space_target = 0;

  std::size_t Count(Verdict verdict) const;
  AwaitingConfirmation CountAwaitingConfirmation() const;
};

}  // namespace imagesweep
