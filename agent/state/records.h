#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "agent/base/clock.h"
#include "agent/model/evidence.h"
#include "agent/model/image.h"

namespace imagesweep {

using Nanos = std::chrono::nanoseconds;

// No time of ours is farther from zero (146 years), so that a difference cannot overflow.
constexpr Nanos kFarthest{(std::int64_t{1} << 62) - 1};
// A gap of at most this pauses the time toward maximumAge; a longer one restarts it.
constexpr Nanos kLongestPause = std::chrono::hours(1);
// Of one interval that nobody watched, and that somebody accepts all the same, this much counts.
constexpr Nanos kMostAccepted = std::chrono::hours(24);

// Which node a record belongs to; what is not known is empty.
struct NodeIdentity {
  std::string machine_id;  // of the operating system
  std::string node_uid;    // of the Node in Kubernetes

  friend bool operator==(const NodeIdentity&, const NodeIdentity&) = default;
};

// When an observation happened, on both clocks, and how much time had been watched by then.
struct ObservationTime {
  std::string boot_id;
  Nanos steady{0};
  Nanos wall{0};           // since the epoch
  Nanos observed{0};       // the sum of all time that counts
  Nanos watched_from{0};   // `observed` at the end of the last gap …
  Nanos accepted_from{0};  // … and of the last one that nobody accepted

  friend bool operator==(const ObservationTime&, const ObservationTime&) = default;
};

// Since when a running agent has watched all uses without a gap; valid in that boot alone.
struct WatchMark {
  std::string boot_id;
  Nanos since{0};  // CLOCK_MONOTONIC

  friend bool operator==(const WatchMark&, const WatchMark&) = default;
};

// What an observer knows of the time before its observation.
struct WatchedTime {
  std::optional<Nanos> since;    // on its monotonic clock; empty: nobody watches
  bool count_unwatched = false;  // somebody accepts that uses may be missing
};

// What is remembered of one image.  All times but `idle_from` are wall clock, for people.
struct ImageRecord {
  Nanos first_seen{0};
  std::optional<Nanos> last_used;
  // ObservationTime::observed of the observation that first found it unused since; empty: in use at
  // the last one, or never seen unused at a watched one.  So an idle image needs no writing, and
  // its age is one subtraction.
  std::optional<Nanos> idle_from;
  int candidate_runs =
      0;  // evaluations in a row up to the last, at all of which it could have gone
  bool just_seen = false;  // the observation that these records come from was the first; not stored

  friend bool operator==(const ImageRecord&, const ImageRecord&) = default;
};

// How the last observation stands to the one before it.
enum class Continuity {
  kWatched,     // no time between them was unwatched, or it was accepted; or there is none before
  kPaused,      // it is not known what was used in between, for at most kLongestPause
  kInterrupted  // …, for longer
};

// Everything that is remembered of the ages of a node.  Plain values and arithmetic, no clock and
// no file.
struct Records {
  std::optional<ObservationTime> observation;  // the last that was watched up to its moment
  std::map<std::string, ImageRecord> images;   // by id
  NodeIdentity node;
  std::optional<WatchMark> watch;                // of the agent that runs, if its lock says so
  std::vector<std::string> uses;                 // references that were used after the observation
  Continuity continuity = Continuity::kWatched;  // not stored
  bool count_unwatched = false;                  // as its observer does; not stored
};

// One image of an observation, with duplicates in the list joined: in use when one of them is.
enum class Seen { kIdle, kCameAgain, kInUse };
using MergedObservations = std::map<std::string, Seen>;  // by ID
MergedObservations MergeObservations(std::span<const Image> images,
                                     const std::vector<bool>& in_use);
// Marks as in use what any of `references` may mean.
void MarkUses(std::span<const Image> images, std::span<const std::string> references,
              MergedObservations& merged);

// One image of an evaluation; a candidate for removal when all its duplicates are.
using Candidates = std::map<std::string, bool>;  // id -> candidate
Candidates MarkCandidates(std::span<const Image> images, const std::vector<bool>& candidate);

// Whether records of `known`, last written in `boot_id`, are of the node `own` that runs in
// `own_boot`.  What both know decides; where nothing can be compared, only records of this very
// boot are this node's.
bool OfThisNode(const NodeIdentity& known, const std::string& boot_id, const NodeIdentity& own,
                const std::string& own_boot);

// The records after an observation at `now`, whose sums are set here.
// `ours`: the same process made the observation of `before`.  What one observer accepts does not
// count toward minimumAge for another that accepts nothing.
//
// Toward both ages counts only time that was watched, or accepted.  What was not watched ends with
// the watch that began after it; while nobody watches, the observation stays the one it was, so
// that the gap is measured as a whole.
Records Advance(const Records& before, const ObservationTime& now, const WatchedTime& watched,
                bool ours, const MergedObservations& merged);

// The records after an evaluation: one run more for candidates, none for all others.
Records Evaluate(Records before, const Candidates& candidates);

// Two records of the same images that disagree, because one of them missed observations: of
// everything the later time, the shorter age and the lower count.  `a` gives the clock and the
// images.
Records MorePatient(Records a, const Records& b);
// `records` with the counts of `other`; none for an image that `other` does not have.
Records WithRunsOf(const Records& other, Records records);

// Ages parallel to `images`, all of which have a record.
std::vector<ImageAge> Ages(const Records& after, std::span<const Image> images);

// Counts parallel to `images`.  A candidate that has no count is one for the first time.
std::vector<int> CandidateRuns(const Records& after, std::span<const Image> images,
                               const Candidates& candidates);

}  // namespace imagesweep
