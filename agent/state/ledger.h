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

// Since when each image of this node has been known and unused, and for how many evaluations it
// could have gone: counted by observations, kept in DIRECTORY/ledger.db across restarts.
//
// Only time that somebody watched counts.  It is watched while an agent runs whose watch of uses is
// connected; a command beside it learns that from the agent's lock (watch_lock.h), waits up to 3 s
// for the agent to have written what it saw, and reads it.  Any other time is a gap: toward
// minimumAge an image's last possible use is the end of the last gap, however short; toward
// maximumAge a gap of at most an hour pauses the time, and a longer one restarts it.
//
// Intervals are measured on CLOCK_MONOTONIC within one boot; between observations of two processes
// the smaller of monotonic and wall clock counts.  Suspension, jumps of the wall clock and reboots
// never make an image older.
//
// Ages belong to a node: records of another one (machine-id, UID of the Node) are not read, and
// without any identity only those of this boot are.
//
// It never fails.  When the file cannot be used (damaged, newer, read-only, full disk, a symbolic
// link, …) it goes on from memory and says so: the ages are then shorter than the truth, never
// longer, and the counts lower, never higher.  Every observation tries the file again.  Agent and
// CLI may share the file.
//
// One thread at a time.  A call may wait two seconds for another process's transaction.
class Ledger {
 public:
  struct Options {
    std::string boot_id = {};     // from ReadBootId(); empty: never the same boot as before
    std::string machine_id = {};  // from ReadMachineId(); empty: not known
    // Of the agent itself: since when it has watched all uses; empty while it does not.  Not given:
    // this is a command, and the file and the agent's lock say who watches.
    std::function<std::optional<SteadyTime>()> watched_since = {};
    // Time that nobody watched counts as time without a use, at most a day of each interval.
    bool count_unwatched = false;
  };

  // Makes the directory (0700) and the file (0600) when they are missing; an empty directory name
  // means memory alone, without a warning.  `clock` must outlive the ledger.
  static std::unique_ptr<Ledger> Open(const std::filesystem::path& directory, const Clock& clock,
                                      Options options);
  // Of a command that accepts nothing that was not watched.
  static std::unique_ptr<Ledger> Open(const std::filesystem::path& directory, const Clock& clock,
                                      std::string boot_id) {
    return Open(directory, clock, Options{.boot_id = std::move(boot_id)});
  }
  // Counts all time between two observations.
  static std::unique_ptr<Ledger> InMemory(const Clock& clock) {
    return Open({}, clock, Options{.count_unwatched = true});
  }

  virtual ~Ledger() = default;
  Ledger(const Ledger&) = delete;
  Ledger& operator=(const Ledger&) = delete;

  // The UID of the Node, from the next observation on; empty: not known.
  virtual void SetNodeUid(std::string uid) = 0;

  // Records one observation of the node and returns the ages, parallel to `images`.  `images` must
  // be the whole list: an image that is not in it loses its record and starts afresh if it comes
  // back.  `in_use` is parallel to it, and true also for what was used since the last observation;
  // uses that the agent wrote since then are added here.
  virtual std::vector<ImageAge> Observe(std::span<const Image> images,
                                        const std::vector<bool>& in_use) = 0;

  // Counts one evaluation: how many in a row, this one included, each image was a candidate for
  // removal; 0 when it is none now.  Parallel to `images`, the list of the last Observe.  An image
  // that is no candidate, or that is not in the list, starts over.  Every process's call counts: a
  // command that only shows must not make it.
  virtual std::vector<int> CountCandidates(std::span<const Image> images,
                                           const std::vector<bool>& candidate) = 0;

  // Drops the records of images that are about to come back before anybody looked at the node
  // without them: they start afresh, as others that went and came do.
  virtual void Forget(const std::vector<ImageId>& ids) = 0;

  // Whether the time before the last observation was a gap that reaches up to it: then no image is
  // known to have been unused for any time.
  virtual bool unwatched() const = 0;

  // Why the file was not used, or not as it was: one line each, oldest first, each once.
  virtual std::vector<std::string> warnings() const = 0;
  // The last look, count or forgetting (before the first: the opening) reached the file.
  virtual bool durable() const = 0;

 protected:
  Ledger() = default;
};

}  // namespace imagesweep
