#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "agent/base/clock.h"
#include "agent/model/evidence.h"
#include "agent/model/image.h"

namespace imagesweep {

// The age of each image of this node, and the number of evaluations in a row that selected it:
// counted by observations, stored in DIRECTORY/ledger.db across restarts.
//
// Only watched time counts.  Time is watched while an agent runs whose watch of uses is connected.
// A command on the same node reads this from the agent's lock (use_log.h), waits up to 3 s for
// the agent to write what it saw, and reads it.  Any other time is a gap.  For minimumAge, the end
// of the last gap counts as a use, even if the gap was short.  For maximumAge, a gap of at most an
// hour pauses the time, and a longer one restarts it.
//
// Intervals are measured on CLOCK_MONOTONIC within one boot.  Between observations of two
// processes, the smaller of monotonic and wall clock counts.  Suspension, jumps of the wall clock
// and reboots never make an image older.
//
// Ages belong to a node: records of another node (machine-id, UID of the Node) are ignored.
// Without an identity, only records of this boot count.
//
// It never fails.  If the file cannot be used (damaged, newer, read-only, full disk, a symbolic
// link, …) it continues in memory and warns.  The ages are then shorter than the truth, never
// longer, and the counts lower, never higher.  Every observation tries the file again.  Agent and
// CLI may share the file.
//
// One thread at a time.  A call may wait two seconds for the transaction of another process.
class AgeStore {
 public:
  struct Options {
    std::string boot_id = {};     // from ReadBootId(); empty: never equal to another boot
    std::string machine_id = {};  // from ReadMachineId(); empty: unknown
    // For the agent: the time since which it has watched all uses, or empty while it does not.  For
    // a command: not set, because the file and the agent's lock tell whether an agent watches.
    std::function<std::optional<SteadyTime>()> watched_since = {};
    // Unwatched time counts as time without a use, at most a day of each interval.
    bool count_unwatched = false;
  };

  // Creates the directory (0700) and the file (0600) if they are missing.  An empty directory name
  // means only in memory, without a warning.  `clock` must outlive the age store.
  static std::unique_ptr<AgeStore> Open(const std::filesystem::path& directory, const Clock& clock,
                                        Options options);
  // For a command that accepts no unwatched time.
  static std::unique_ptr<AgeStore> Open(const std::filesystem::path& directory, const Clock& clock,
                                        std::string boot_id) {
    return Open(directory, clock, Options{.boot_id = std::move(boot_id)});
  }
  // Counts all time between two observations.
  static std::unique_ptr<AgeStore> InMemory(const Clock& clock) {
    return Open({}, clock, Options{.count_unwatched = true});
  }

  virtual ~AgeStore() = default;
  AgeStore(const AgeStore&) = delete;
  AgeStore& operator=(const AgeStore&) = delete;

  // The UID of the Node, from the next observation.  Empty: unknown.
  virtual void SetNodeUid(std::string uid) = 0;

  // Records one observation of the node and returns the ages, parallel to `images`.  `images` must
  // be the complete list: an image that is not in it loses its record.  `in_use` is parallel to it,
  // and also true for images that were used since the last observation.  Observe adds the uses that
  // the agent wrote since then.
  virtual std::vector<ImageAge> Observe(std::span<const Image> images,
                                        const std::vector<bool>& in_use) = 0;

  // Counts one evaluation.  Returns for each image the number of evaluations in a row, including
  // this one, in which it was a candidate for removal.  0: it is not a candidate now.  Parallel to
  // `images`, the list of the last Observe.  An image that is not a candidate or not in the list
  // starts at 0 again.  Calls of all processes count, so a command that only shows must not call
  // it.
  virtual std::vector<int> CountCandidates(std::span<const Image> images,
                                           const std::vector<bool>& candidate) = 0;

  // Deletes the records of images that will return before an observation without them, so that
  // their ages start again.
  virtual void Forget(const std::vector<ImageId>& ids) = 0;

  // True if a gap reaches up to the last observation.  No image is then known to be unused.
  virtual bool unwatched() const = 0;

  // Problems with the file, one line each, oldest first, without duplicates.
  virtual std::vector<std::string> warnings() const = 0;
  // True if the last change was written to the file.  Before the first change: if Open succeeded.
  virtual bool durable() const = 0;

 protected:
  AgeStore() = default;
};

}  // namespace imagesweep
