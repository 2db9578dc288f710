#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/base/clock.h"
#include "agent/base/result.h"
#include "agent/model/report.h"
#include "agent/model/run_entry.h"

namespace imagesweep {

// The runs of this node and the images that they removed: DIRECTORY/history.db.
//
// It never blocks a run: if the file cannot be used, calls return an error that tells why, and
// every later call tries the file again.  Removals that could not be written stay in memory until a
// later call writes them.  Runs do not.  If another process holds the file for more than two
// seconds, calls do not try again for the next 30 seconds.
//
// One thread at a time; agent and CLI may share the file.
class History {
 public:
  // Limits that keep the file small.
  static constexpr std::size_t kMaxRemovals = 5000;
  static constexpr std::size_t kMaxRemovalBytes = 1024UL * 1024;
  static constexpr std::size_t kMaxReportBytes = 16UL * 1024 * 1024;

  // Creates the directory (0700) and the file (0600) if they are missing.  Never fails.  With an
  // empty directory name it stores nothing, without a warning.  `clock` must outlive the history.
  static std::unique_ptr<History> Open(const std::filesystem::path& directory, const Clock& clock);

  virtual ~History() = default;
  History(const History&) = delete;
  History& operator=(const History&) = delete;

  // Records a removal before the call to the runtime.  Commit must follow, also after an error.  An
  // entry without it means that the process ended in between.  Ignores `done`.  kInvalid if the
  // names and digests take more than kMaxRemovalBytes: the entry is not stored.  Deletes the oldest
  // entries beyond kMaxRemovals and beyond 8 MiB.
  virtual Status BeginRemoval(const RemovalEntry& removal) = 0;
  // Records the result.  If the image was not removed, deletes the entry.  kNotFound if it was
  // removed and there is no entry.
  virtual Status Commit(const std::string& run, const std::string& image_id, bool removed) = 0;

  // Runs `changes`, and writes all of its BeginRemoval and Commit in one transaction when it
  // returns, because each write waits for the disk.  Returns the error of `changes` or of the
  // write.
  virtual Status InTransaction(const std::function<Status()>& changes) = 0;

  // Adds a run, and deletes the oldest beyond `limit` (0: keeps none) and beyond 24 MiB of packed
  // reports.  The removals of a deleted run stay.  A "noop" after a "noop" with the same dry_run
  // replaces it and increments `times`.  kInvalid for a report above kMaxReportBytes, and for a run
  // without an ID.
  virtual Status AddRun(const RunEntry& entry, int limit) = 0;

  // True if the directory already has a history, which Open() creates.  kNotFound if the directory
  // is missing.
  static Result<bool> Exists(const std::filesystem::path& directory);

  // Newest first, without `report`.
  virtual Result<std::vector<RunEntry>> Runs() = 0;
  // The whole entry by its ID or by a unique prefix of it.  The newest if `run` is empty.  Empty if
  // there is none.  kInvalid if the prefix is not unique.
  virtual Result<std::optional<RunEntry>> Find(const std::string& run) = 0;
  // The removals of one run (by its whole ID), or of all runs if `run` is empty.  Newest first.
  virtual Result<std::vector<RemovalEntry>> Removals(const std::string& run) = 0;

  // Problems with the file, one line each, oldest first, without duplicates.
  virtual std::vector<std::string> warnings() const = 0;

 protected:
  History() = default;
};

// Returns the images of `report` that earlier runs removed within the last 7 days and that are on
// the node again, with the same ID and so the same content.  In the order of the images.
//
// `removals` is the journal.  Entries of this run are ignored.  `runs` are the earlier runs, newest
// first.  since_last_run is true once for each removal, also across restarts of the agent: in the
// first run that sees the image again and is not aborted.  Empty for an aborted run.
std::vector<PulledAgain> FindPulledAgain(const std::vector<RemovalEntry>& removals,
                                         const std::vector<RunEntry>& runs, const Report& report);

}  // namespace imagesweep
