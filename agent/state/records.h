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

// When a look happened, on both clocks, and how much time looks have covered by then.
struct LookTime {
  std::string boot_id;
  Nanos steady{0};
  Nanos wall{0};      // since the epoch
  Nanos observed{0};  // grows by the time between looks, as far as it can be trusted

  friend bool operator==(const LookTime&, const LookTime&) = default;
};

// What is remembered of one image.  All times but `idle_from` are wall clock, for people.
struct ImageRecord {
  Nanos first_seen{0};
  std::optional<Nanos> last_used;
  // LookTime::observed of the look that first found it unused since; empty: in use at the last one.
  // So an idle image needs no writing, and its age is one subtraction.
  std::optional<Nanos> idle_from;
  int candidate_runs =
      0;  // evaluations in a row up to the last, at all of which it could have gone
  bool just_seen = false;  // the look that these records come from was the first; not stored

  friend bool operator==(const ImageRecord&, const ImageRecord&) = default;
};

// Everything the ledger knows.  Plain values and arithmetic, no clock and no file.
struct Records {
  std::optional<LookTime> last_look;
  std::map<std::string, ImageRecord> images;  // by id
};

// One image of a look, with duplicates in the list joined: in use when one of them is.
using Sightings = std::map<std::string, bool>;  // id -> in use
Sightings Sight(std::span<const Image> images, const std::vector<bool>& in_use);

// One image of an evaluation; a candidate for removal when all its duplicates are.
using Candidacies = std::map<std::string, bool>;  // id -> candidate
Candidacies Nominate(std::span<const Image> images, const std::vector<bool>& candidate);

// How much of the time between two looks counts: the monotonic clock's difference, never negative.
// When another process made the earlier look (or this one before a restart) not more than the wall
// clock's, and nothing across boots or when a boot is unknown.
Nanos TrustedInterval(const LookTime& earlier, const LookTime& now, bool same_process);

// The records after a look at `now`, whose `observed` is set already.
Records Advance(const Records& before, const LookTime& now, const Sightings& sightings);

// The records after an evaluation: one run more for candidates, none for all others.
Records Evaluate(Records before, const Candidacies& candidacies);

// Two records of the same images that disagree, because one of them missed looks: of everything the
// later time, the shorter age and the lower count.  `a` gives the clock and the images.
Records MorePatient(Records a, const Records& b);
// `records` with the counts of `other`; none for an image that `other` does not have.
Records WithRunsOf(const Records& other, Records records);

// Ages parallel to `images`, all of which have a record.
std::vector<ImageAge> Ages(const Records& after, std::span<const Image> images);

// Counts parallel to `images`.  A candidate that has no count is one for the first time.
std::vector<int> CandidateRuns(const Records& after, std::span<const Image> images,
                               const Candidacies& candidacies);

}  // namespace imagesweep
