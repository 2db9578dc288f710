#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "agent/base/clock.h"
#include "agent/model/evidence.h"
#include "agent/model/image.h"

namespace imagesweep {

// Since when each image of this node has been known and unused, and for how many evaluations it
// could have gone: counted by looks, kept in DIRECTORY/ledger.db across restarts.
//
// Only time that somebody watched counts: an interval between two looks, both of which found the
// image unused, measured on CLOCK_MONOTONIC within one boot; between looks of two processes the
// smaller of monotonic and wall clock.  Suspension, jumps of the wall clock, reboots and time
// without a look never make an image older.
//
// It never fails.  When the file cannot be used (damaged, newer, read-only, full disk, a symbolic
// link, …) it goes on from memory and says so: the ages are then shorter than the truth, never
// longer, and the counts lower, never higher.  Every look tries the file again.  Agent and CLI may
// share the file.
//
// One thread at a time.  A call may wait two seconds for another process's transaction.
class Ledger {
 public:
  // Makes the directory (0700) and the file (0600) when they are missing; an empty directory name
  // means memory alone, without a warning.  `boot_id` from ReadBootId(); empty: never the same boot
  // as before.  `clock` must outlive the ledger.
  static std::unique_ptr<Ledger> Open(const std::filesystem::path& directory, const Clock& clock,
                                      std::string boot_id);
  static std::unique_ptr<Ledger> InMemory(const Clock& clock);

  virtual ~Ledger() = default;
  Ledger(const Ledger&) = delete;
  Ledger& operator=(const Ledger&) = delete;

  // How much the time between two looks may count at most, from the next look on; a day when never
  // told.  What nobody watched for long is not known to have been unused all that time.
  virtual void LimitGaps(Millis longest) = 0;

  // Records one look at the node and returns the ages, parallel to `images`.  `images` must be the
  // whole list: an image that is not in it loses its record and starts afresh if it comes back.
  // `in_use` is parallel to it, and true also for what was used between the last look and this one.
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

  // Why the file was not used, or not as it was: one line each, oldest first, each once.
  virtual std::vector<std::string> warnings() const = 0;
  // The last look, count or forgetting (before the first: the opening) reached the file.
  virtual bool durable() const = 0;

 protected:
  Ledger() = default;
};

}  // namespace imagesweep
