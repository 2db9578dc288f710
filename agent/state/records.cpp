#include "agent/state/records.h"

#include <algorithm>
#include <ranges>
#include <string_view>
#include <vector>

#include "agent/model/image_index.h"
#include "agent/model/recent_use.h"

namespace imagesweep {
namespace {

SystemTime ToSystemTime(Nanos since_epoch) {
  return SystemTime(std::chrono::duration_cast<SystemTime::duration>(since_epoch));
}

// Toward maximumAge.
Nanos IdleTime(const Records& records, const ImageRecord& record) {
  if (!record.idle_from || records.continuity == Continuity::kInterrupted) return Nanos::zero();
  return records.observation->observed - *record.idle_from;
}

// Toward minimumAge, without the last use.
Nanos WatchedTimeOf(const Records& records) {
  if (!records.observation || records.continuity != Continuity::kWatched) return Nanos::zero();
  const ObservationTime& time = *records.observation;
  return time.observed - (records.count_unwatched ? time.accepted_from : time.watched_from);
}

int RunsOf(const Records& records, const std::string& id) {
  const auto found = records.images.find(id);
  return found == records.images.end() ? 0 : found->second.candidate_runs;
}

bool SameBoot(const ObservationTime& earlier, const ObservationTime& now, bool ours) {
  return ours || (!earlier.boot_id.empty() && earlier.boot_id == now.boot_id);
}

// The time between two observations that counts if all of it was watched: the difference on the
// monotonic clock, never negative.  If another process made the earlier one, at most the difference
// on the wall clock.  0 across boots or if a boot is unknown.
Nanos TrustedInterval(const ObservationTime& earlier, const ObservationTime& now, bool ours) {
  if (!SameBoot(earlier, now, ours)) return Nanos::zero();
  Nanos interval = now.steady - earlier.steady;
  if (!ours) interval = std::min(interval, now.wall - earlier.wall);
  return std::max(interval, Nanos::zero());
}

// The length of a gap that began with `earlier` and ends `before_now` before `now`.  Across boots,
// at least the time since this boot.  Infinite if the clocks contradict each other.
bool IsLong(const ObservationTime& earlier, const ObservationTime& now, Nanos before_now,
            bool ours) {
  const bool same_boot = SameBoot(earlier, now, ours);
  const Nanos length =
      (same_boot ? now.steady - earlier.steady : now.wall - earlier.wall) - before_now;
  if (length < Nanos::zero()) return true;
  return std::max(length, same_boot ? length : now.steady - before_now) > kLongestPause;
}

struct Step {
  ObservationTime time;
  Continuity before = Continuity::kWatched;  // the time until `time` or the start of the watch
  bool advances = true;
};

Step NextObservation(const std::optional<ObservationTime>& last, ObservationTime now,
                     const WatchedTime& watched, bool ours) {
  now.observed = now.watched_from = now.accepted_from = Nanos::zero();
  if (!last) return {now};
  now.observed = last->observed;
  now.watched_from = last->watched_from;
  now.accepted_from = last->accepted_from;
  if (watched.since && SameBoot(*last, now, ours) && *watched.since < last->steady) {
    now.observed += TrustedInterval(*last, now, ours);
    return {now};
  }
  const Nanos watched_for =
      watched.since ? std::max(now.steady - *watched.since, Nanos::zero()) : Nanos::zero();
  if (watched.count_unwatched) {
    const Nanos accepted = std::min(TrustedInterval(*last, now, ours), kMostAccepted);
    now.observed += accepted;
    now.watched_from = now.observed - std::min(watched_for, accepted);
    return {now};
  }
  const Continuity gap =
      IsLong(*last, now, watched_for, ours) ? Continuity::kInterrupted : Continuity::kPaused;
  if (!watched.since) return {*last, gap, false};
  now.watched_from = now.accepted_from = last->observed;
  now.observed += watched_for;
  return {now, gap};
}

}  // namespace

MergedObservations MergeObservations(std::span<const Image> images,
                                     const std::vector<bool>& in_use) {
  MergedObservations merged;
  for (std::size_t i = 0; i < images.size(); ++i) {
    MergedObservation& one = merged[images[i].id.text()];
    if (in_use.at(i)) one.seen = Seen::kInUse;
    one.has_tag = one.has_tag || !images[i].tags.empty();
    one.has_digest = one.has_digest || !images[i].digests.empty();
    if (images.size() > kMostImagesWithTags) continue;
    std::vector<std::string_view> tags;
    for (const ImageName& tag : images[i].tags) tags.push_back(tag.text());
    std::ranges::sort(tags);
    for (const std::string_view tag : tags)
      one.tags.append(one.tags.empty() ? "" : "\n").append(tag);
  }
  return merged;
}

void MarkUses(std::span<const Image> images, std::span<const std::string> references,
              MergedObservations& merged) {
  if (references.empty()) return;
  const ImageIndex index(images);
  for (const std::string& reference : references) {
    const bool used = !reference.starts_with(kCameAgain);
    const auto text = std::string_view(reference).substr(used ? 0 : kCameAgain.size());
    for (const auto at : index.Resolve(text)) {
      MergedObservation& one = merged[At(images, at).id.text()];
      one.seen = std::max(one.seen, used ? Seen::kInUse : Seen::kCameAgain);
      one.came_again = one.came_again || !used;
    }
  }
}

Candidates MarkCandidates(std::span<const Image> images, const std::vector<bool>& candidate) {
  Candidates candidates;
  for (std::size_t i = 0; i < images.size(); ++i) {
    const bool could_go = candidate.at(i);
    const auto [entry, first] = candidates.try_emplace(images[i].id.text(), could_go);
    if (!first) entry->second = entry->second && could_go;
  }
  return candidates;
}

bool OfThisNode(const NodeIdentity& known, const std::string& boot_id, const NodeIdentity& own,
                const std::string& own_boot) {
  bool compared = false;
  for (const auto field : {&NodeIdentity::machine_id, &NodeIdentity::node_uid}) {
    if ((known.*field).empty() || (own.*field).empty()) continue;
    if (known.*field != own.*field) return false;
    compared = true;
  }
  return compared || (!own_boot.empty() && boot_id == own_boot);
}

Records Advance(const Records& before, const ObservationTime& now, const WatchedTime& watched,
                bool ours, const MergedObservations& merged) {
  const Step step = NextObservation(before.observation, now, watched, ours);
  Records after;
  after.observation = step.time;
  after.node = before.node;
  after.watch = before.watch;
  after.count_unwatched = watched.count_unwatched;
  if (!step.advances) after.continuity = step.before;
  // A wall clock that jumped back must not make the last one look like the first.
  Nanos first_seen = now.wall;
  for (const auto& [id, record] : before.images)
    first_seen = std::max(first_seen, record.first_seen);
  for (const auto& [id, observation] : merged) {
    const Seen seen = observation.seen;
    const auto known = before.images.find(id);
    ImageRecord record;
    if (known != before.images.end()) record = known->second;
    record.just_seen = known == before.images.end();
    if (record.just_seen) record.first_seen = first_seen;
    // An image that came again without a tag was pulled by its digest.  In a gap, any image with a
    // digest name may have been.
    const bool watched_since = step.advances && step.before == Continuity::kWatched;
    const bool pulled_by_digest =
        observation.came_again || (observation.has_digest && !watched_since);
    if (observation.has_tag) {
      record.had_tag = true;
      if (record.last_tags.view() != observation.tags)
        record.last_tags = SharedText(observation.tags);
    } else if (pulled_by_digest) {
      record.had_tag = false;
      record.last_tags = {};
    }
    if (seen == Seen::kInUse) {
      record.last_used = now.wall;
      record.idle_from.reset();
    } else if (!record.idle_from || seen == Seen::kCameAgain) {
      record.idle_from.reset();
      if (step.advances) record.idle_from = step.time.observed;
    } else if (step.advances && step.before == Continuity::kInterrupted) {
      record.idle_from = step.time.watched_from;
    }
    after.images.emplace_hint(after.images.end(), id, record);
  }
  return after;
}

Records Evaluate(Records before, const Candidates& candidates) {
  for (auto& [id, record] : before.images) {
    const auto found = candidates.find(id);
    const bool candidate = found != candidates.end() && found->second;
    record.candidate_runs = candidate ? record.candidate_runs + 1 : 0;
  }
  return before;
}

Records WithRunsOf(const Records& other, Records records) {
  for (auto& [id, record] : records.images) record.candidate_runs = RunsOf(other, id);
  return records;
}

Records MergeConservatively(Records a, const Records& b) {
  const Nanos watched = std::min(WatchedTimeOf(a), WatchedTimeOf(b));
  a.observation->watched_from =
      std::max(a.observation->watched_from, a.observation->observed - watched);
  a.observation->accepted_from =
      std::max(a.observation->accepted_from, a.observation->observed - watched);
  for (auto& [id, record] : a.images) {
    record.candidate_runs = std::min(record.candidate_runs, RunsOf(b, id));
    const auto found = b.images.find(id);
    if (found == b.images.end()) continue;
    const ImageRecord& other = found->second;
    record.first_seen = std::max(record.first_seen, other.first_seen);
    record.last_used = std::max(record.last_used, other.last_used);
    record.just_seen = record.just_seen || other.just_seen;
    record.had_tag = record.had_tag && other.had_tag;
    if (record.last_tags != other.last_tags) record.last_tags = {};
    if (!record.idle_from) continue;
    if (!other.idle_from) {
      record.idle_from.reset();
      continue;
    }
    record.idle_from = a.observation->observed - std::min(IdleTime(a, record), IdleTime(b, other));
  }
  return a;
}

std::vector<ImageAge> Ages(const Records& after, std::span<const Image> images) {
  std::vector<ImageAge> ages;
  ages.reserve(images.size());
  const Nanos watched = WatchedTimeOf(after);
  for (const Image& image : images) {
    const ImageRecord& record = after.images.at(image.id.text());
    ImageAge age;
    age.first_seen = ToSystemTime(record.first_seen);
    if (record.last_used) age.last_used = ToSystemTime(*record.last_used);
    const Nanos idle = IdleTime(after, record);
    age.unused_for = std::chrono::duration_cast<Millis>(idle);
    age.watched_unused_for = std::chrono::duration_cast<Millis>(std::min(idle, watched));
    age.just_seen = record.just_seen;
    age.lost_tag = (record.had_tag || image.had_tag) && image.tags.empty();
    if (age.lost_tag)
      for (const auto tag : std::views::split(record.last_tags.view(), '\n'))
        age.lost_tags.push_back(ImageName::Parse(std::string(tag.begin(), tag.end())));
    ages.push_back(std::move(age));
  }
  return ages;
}

std::vector<int> CandidateRuns(const Records& after, std::span<const Image> images,
                               const Candidates& candidates) {
  std::vector<int> runs;
  runs.reserve(images.size());
  for (const Image& image : images) {
    const std::string& id = image.id.text();
    runs.push_back(candidates.at(id) ? std::max(1, RunsOf(after, id)) : 0);
  }
  return runs;
}

}  // namespace imagesweep
