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
#include "agent/model/run_entry.h"

namespace imagesweep {

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
  static constexpr std::size_t kMaxRemovalBytes = 1024UL * 1024;
  static constexpr std::size_t kMaxReportBytes = 16UL * 1024 * 1024;

  // Makes the directory (0700) and the file (0600) when they are missing.  Never fails; an empty
  // directory name keeps nothing, without a warning.  `clock` must outlive the history.
  static std::unique_ptr<History> Open(const std::filesystem::path& directory, const Clock& clock);

  virtual ~History() = default;
  History(const History&) = delete;
  History& operator=(const History&) = delete;

  // Before the runtime is asked to remove it.  Settle must follow, after an error too; an entry
  // without it means that the process ended in between.  `done` is not read.  kInvalid for one of
  // which the names and digests take more than kMaxRemovalBytes: it is not kept.  The oldest go
  // beyond kMaxRemovals, and beyond 8 MiB.
  virtual Status Intend(const RemovalEntry& removal) = 0;
  // After: it is gone; or it is not, and the entry is dropped.  kNotFound when it is gone and no
  // entry says that it was asked for.
  virtual Status Settle(const std::string& run, const std::string& image_id, bool removed) = 0;

  // What `changes` intends and settles is written at once, when it returns: a write waits for the
  // disk.  An error of either.
  virtual Status Together(const std::function<Status()>& changes) = 0;

  // Adds a run, and drops the oldest beyond `limit` (0: keeps none) and beyond 24 MiB of packed
  // reports; the removals of a dropped run stay.  A "noop" after a "noop" with the same dry_run
  // takes its place and counts up `times`.  kInvalid for a report above kMaxReportBytes, and for a
  // run without an id.
  virtual Status AddRun(const RunEntry& entry, int limit) = 0;

  // Does the directory hold one already?  Open() makes it.  kNotFound when the directory itself is
  // missing.
  static Result<bool> Exists(const std::filesystem::path& directory);

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
