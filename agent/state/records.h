#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/clock.h"
#include "agent/model/evidence.h"
#include "agent/model/image.h"

namespace imagesweep {

using Nanos = std::chrono::nanoseconds;

// The limit of stored times (146 years), so that a difference cannot overflow.
constexpr Nanos kFarthest{(std::int64_t{1} << 62) - 1};
// A gap of at most this pauses the time toward maximumAge; a longer one restarts it.
constexpr Nanos kLongestPause = std::chrono::hours(1);
// The maximum of one unwatched interval that counts if the user accepts unwatched time.
constexpr Nanos kMostAccepted = std::chrono::hours(24);

// The node that a record belongs to.  Unknown fields are empty.
struct NodeIdentity {
  std::string machine_id;  // of the operating system
  std::string node_uid;    // of the Node in Kubernetes

  friend bool operator==(const NodeIdentity&, const NodeIdentity&) = default;
};

// The time of an observation on both clocks, and the watched time until then.
struct ObservationTime {
  std::string boot_id;
  Nanos steady{0};
  Nanos wall{0};           // since the epoch
  Nanos observed{0};       // the sum of all time that counts
  Nanos watched_from{0};   // `observed` at the end of the last gap
  Nanos accepted_from{0};  // `observed` at the end of the last gap that was not accepted

  friend bool operator==(const ObservationTime&, const ObservationTime&) = default;
};

// The time since which a running agent has watched all uses without a gap.  Valid only in this
// boot.
struct WatchMark {
  std::string boot_id;
  Nanos since{0};  // CLOCK_MONOTONIC

  friend bool operator==(const WatchMark&, const WatchMark&) = default;
};

// The watched time before an observation.
struct WatchedTime {
  std::optional<Nanos> since;    // on the monotonic clock; empty: not watched
  bool count_unwatched = false;  // the user accepts that uses may be missing
};

// A text that copies share, because thousands of records are copied in each run.
class SharedText {
 public:
  SharedText() = default;
  explicit SharedText(const std::string& text)
      : text_(text.empty() ? nullptr : std::make_shared<const std::string>(text)) {}
  std::string_view view() const { return text_ == nullptr ? std::string_view() : *text_; }
  friend bool operator==(const SharedText& a, const SharedText& b) { return a.view() == b.view(); }

 private:
  std::shared_ptr<const std::string> text_;
};

// The record of one image.  All times except `idle_from` are wall clock, for reports.
struct ImageRecord {
  Nanos first_seen{0};
  std::optional<Nanos> last_used;
  // ObservationTime::observed of the first observation of its present idle time.  Empty: in use at
  // the last observation, or never seen unused at a watched one.  So an idle image needs no writes,
  // and its age is one subtraction.
  std::optional<Nanos> idle_from;
  int candidate_runs = 0;  // evaluations in a row, up to the last, that selected it
  // An observation listed it with a tag, and since then it was watched, and not pulled or loaded.
  bool had_tag = false;
  SharedText last_tags;    // of that observation, a tag in each line; empty: unknown, or no tag
  bool just_seen = false;  // first seen in the last observation; not stored

  friend bool operator==(const ImageRecord&, const ImageRecord&) = default;
};

// The relation of the last observation to the one before it.
enum class Continuity {
  kWatched,     // the time between them was watched or accepted, or there is no earlier one
  kPaused,      // uses are unknown for at most kLongestPause
  kInterrupted  // uses are unknown for longer
};

// All stored data about the ages of a node.  Plain values and arithmetic, without a clock and a
// file.
struct Records {
  std::optional<ObservationTime> observation;  // the last one, watched until its time
  std::map<std::string, ImageRecord> images;   // by ID
  NodeIdentity node;
  std::optional<WatchMark> watch;                // of the running agent, if its lock is held
  std::vector<std::string> uses;                 // references used after the observation
  Continuity continuity = Continuity::kWatched;  // not stored
  bool count_unwatched = false;                  // the setting of its observer; not stored
};

// The state of an image in an observation.  Duplicates in the list are merged: the image is in use
// if one of them is.
enum class Seen { kIdle, kCameAgain, kInUse };
struct MergedObservation {
  Seen seen = Seen::kIdle;
  bool has_tag = false;
  std::string tags;         // a tag in each line, sorted
  bool has_digest = false;  // a name with a digest, as a pull by digest gives one
  bool came_again = false;  // pulled, loaded, or named, also if it was used after that
};
// On a node with more images, the tags are not remembered, to bound the memory.
inline constexpr std::size_t kMostImagesWithTags = 3000;
using MergedObservations = std::map<std::string, MergedObservation>;  // by ID
MergedObservations MergeObservations(std::span<const Image> images,
                                     const std::vector<bool>& in_use);
// Marks as in use all images that any of `references` may refer to.
void MarkUses(std::span<const Image> images, std::span<const std::string> references,
              MergedObservations& merged);

// The images of an evaluation.  An image is a candidate for removal if all its duplicates are.
using Candidates = std::map<std::string, bool>;  // ID -> candidate
Candidates MarkCandidates(std::span<const Image> images, const std::vector<bool>& candidate);

// True if records of `known`, last written in `boot_id`, are of the node `own` in the boot
// `own_boot`.  Compares the fields that both know.  If there are none, only records of the same
// boot are of this node.
bool OfThisNode(const NodeIdentity& known, const std::string& boot_id, const NodeIdentity& own,
                const std::string& own_boot);

// Returns the records after an observation at `now`, and sets its sums.
// `ours`: the same process made the observation of `before`.  Time that one observer accepts does
// not count toward minimumAge for another observer that does not accept it.
//
// Only watched or accepted time counts toward both ages.  A gap ends when the next watch begins.
// While no agent watches, the last observation stays, so that the gap is measured as a whole.
Records Advance(const Records& before, const ObservationTime& now, const WatchedTime& watched,
                bool ours, const MergedObservations& merged);

// Returns the records after an evaluation: one more run for candidates, 0 for all others.
Records Evaluate(Records before, const Candidates& candidates);

// Merges two records of the same images that disagree because one of them missed observations.
// Takes the later time, the shorter age and the lower count, and the clock and the images of `a`.
Records MergeConservatively(Records a, const Records& b);
// Returns `records` with the counts of `other`.  0 for an image that `other` does not have.
Records WithRunsOf(const Records& other, Records records);

// Returns the ages, parallel to `images`, which all must have a record.
std::vector<ImageAge> Ages(const Records& after, std::span<const Image> images);

// Returns the counts, parallel to `images`.  A candidate without a count has 1.
std::vector<int> CandidateRuns(const Records& after, std::span<const Image> images,
                               const Candidates& candidates);

}  // namespace imagesweep
