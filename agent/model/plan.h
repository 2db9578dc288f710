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
#include "agent/model/reference.h"
#include "agent/model/workload.h"

namespace imagesweep {

enum class Verdict { kKeep, kRemove, kDefer };

// Why; in the order in which the questions are asked.
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

// Everything a decision may rest on, read before it is made.
struct Observation {
  SystemTime at;
  std::vector<Image> images;
  std::vector<ImageAge> ages;              // parallel to images
  std::vector<ImageReference> references;  // of pods and of the runtime, joined
  // Of every workload of the cluster; the policy says which of them count.  Empty when it does not
  // ask for them.
  std::vector<WorkloadReference> workloads;
  std::vector<std::string> sandbox_images;
  std::vector<std::string> own_images;  // the agent's own, when it runs as a pod
  // The image filesystem that the thresholds apply to: of several, the one that is fullest.  Empty:
  // unknown, so nothing goes for space.
  std::optional<DiskUsage> disk;
  // Parallel to images, or empty when all are available: why this run cannot remove an image,
  // whatever the policy says, as one clause ("its removal failed, …"); an empty text: it can.
  std::vector<std::string> unavailable = {};

  // Empty: it can be removed.
  const std::string& WhyUnavailable(std::uint32_t image) const;
};

// The verdict on one image.
struct Decision {
  std::uint32_t image = 0;  // position in Observation::images
  Verdict verdict = Verdict::kKeep;
  Code code = Code::kIdle;
  std::string reason;  // one line for people, evidence included
  // For kInUse: positions in Observation::references, each referrer once.
  std::vector<std::uint32_t> used_by;
  std::string rule;  // the policy's rule that decided, by name; empty: none did
  // For kDangling and kSuperseded: the newest name of the same repository.
  std::string superseded_by;
  // Of several tags the one that tells most, as a position in Image::tags; the others are its
  // twins.
  std::uint32_t main_tag = 0;
  // For kTooYoung: how long until it has its minimum age, if nothing uses it; more than zero.
  Millis old_enough_in{0};
  // For kDefer: what it waits for, "the next window opens at …"; the same for all that wait for it.
  std::string waits_for = {};
  // For kWorkload: positions in Observation::workloads, each workload once.
  std::vector<std::uint32_t> wanted_by = {};
  // Bytes that its removal adds to what came free before it in the order of removals, by the
  // layers; empty: not known.
  std::optional<std::uint64_t> frees = {};
  // For kLimit by limits.confirmRuns: how many more evaluations in a row have to select the image
  // before it is removed.
  int runs_to_confirm = 0;
};

// Of an image that nothing needs and that no rule keeps, rollback room included: it goes, now or
// later, or is only too young or idle.
bool IsReclaimable(const Decision& decision);

// Candidates that limits.confirmRuns defers.
struct AwaitingConfirmation {
  std::size_t images = 0;
  int fewest_runs = 0;  // more runs until the first of them is confirmed; 0 when there are none
  int most_runs = 0;    // until the last of them is
};

// One verdict for every image, and the order in which the removals go.
struct Plan {
  std::vector<Decision> decisions;      // parallel to Observation::images
  std::vector<std::uint32_t> removals;  // positions of kRemove, first to go first
  // Bytes that somebody wants to be available, and no image goes any more once they are; 0: none.
  std::uint64_t room = 0;

  std::size_t Count(Verdict verdict) const;
  AwaitingConfirmation CountAwaitingConfirmation() const;
};

}  // namespace imagesweep
