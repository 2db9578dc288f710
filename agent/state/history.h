#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/base/clock.h"
#include "agent/base/result.h"

namespace imagesweep {

// One run, as it is kept.
struct RunEntry {
  std::string run;  // id, sorts by time
  SystemTime started;
  SystemTime finished;
  bool dry_run = true;
  std::string result;       // "success", "partial", "noop", "error"
  std::string headline;     // one line for a list: "removed 4 images, 1.2 GiB"
  std::size_t removed = 0;  // images that went; in a dry run, that would have gone
  std::uint64_t bytes = 0;  // the sum of their sizes
  int times = 1;            // runs that this entry stands for: those that did nothing are joined
  std::string report;       // the whole SweepReport document, JSON; empty in lists

  friend bool operator==(const RunEntry&, const RunEntry&) = default;
};

// One removal, as undo needs it; written before the runtime is asked.
struct RemovalEntry {
  std::string run;
  SystemTime at;
  std::string id;                    // of the image
  std::vector<std::string> names;    // its tags
  std::vector<std::string> digests;  // its repo digests: what it can be pulled by
  std::uint64_t size_bytes = 0;
  std::string code;  // why it was to go, policy code and one line
  std::string reason;
  bool done = false;  // it went; false: it was asked for, and what came of it is not known

  friend bool operator==(const RemovalEntry&, const RemovalEntry&) = default;
};

// What the runs of this node did, and which images they removed: DIRECTORY/history.db.
//
// It never stands in the way of a run: when the file cannot be used, calls return an error that
// says why, and every later call tries the file again.  Removals that could not be written are held
// in memory until a later call can; runs are not.  Another process that holds the file for longer
// than two seconds is left alone for the next 30.
//
// One thread at a time; agent and CLI may share the file.
class History {
 public:
  // Limits, so that the file stays small whatever happens.
  static constexpr std::size_t kMaxRemovals = 5000;
  static constexpr std::size_t kMaxReportBytes = 16UL * 1024 * 1024;

  // Makes the directory (0700) and the file (0600) when they are missing.  Never fails; an empty
  // directory name keeps nothing, without a warning.  `clock` must outlive the history.
  static std::unique_ptr<History> Open(const std::filesystem::path& directory, const Clock& clock);

  virtual ~History() = default;
  History(const History&) = delete;
  History& operator=(const History&) = delete;

  // Before the runtime is asked to remove it.  Settle must follow, after an error too; an entry
  // without it means that the process ended in between.  `done` is not read.  Oldest entries go
  // when there are more than kMaxRemovals.
  virtual Status Intend(const RemovalEntry& removal) = 0;
  // After: it is gone; or it is not, and the entry is dropped.  kNotFound when it is gone and no
  // entry says that it was asked for.
  virtual Status Settle(const std::string& run, const std::string& image_id, bool removed) = 0;

  // Adds a run, and drops the oldest beyond `limit` (0: keeps none) and beyond 24 MiB of packed
  // reports; the removals of a dropped run stay.  A "noop" after a "noop" with the same dry_run
  // takes its place and counts up `times`.  kInvalid for a report above kMaxReportBytes, and for a
  // run without an id.
  virtual Status AddRun(const RunEntry& entry, int limit) = 0;

  // Newest first, without `report`.
  virtual Result<std::vector<RunEntry>> Runs() = 0;
  // The whole entry: of this id, else of the one id that begins so; the newest when `run` is empty.
  // Nothing when there is none; kInvalid when several begin so.
  virtual Result<std::optional<RunEntry>> Find(const std::string& run) = 0;
  // Of one run (its whole id), or of all when `run` is empty; newest first.
  virtual Result<std::vector<RemovalEntry>> Removals(const std::string& run) = 0;

  // Why the file was not used, or not as it was: one line each, oldest first, each once.
  virtual std::vector<std::string> warnings() const = 0;

 protected:
  History() = default;
};

}  // namespace imagesweep
