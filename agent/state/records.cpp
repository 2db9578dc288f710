#include "agent/state/records.h"

#include <algorithm>

namespace imagesweep {
namespace {

SystemTime ToSystemTime(Nanos since_epoch) {
  return SystemTime(std::chrono::duration_cast<SystemTime::duration>(since_epoch));
}

Nanos IdleTime(const Records& records, const ImageRecord& record) {
  return record.idle_from ? records.last_look->observed - *record.idle_from : Nanos::zero();
}

int RunsOf(const Records& records, const std::string& id) {
  const auto found = records.images.find(id);
  return found == records.images.end() ? 0 : found->second.candidate_runs;
}

}  // namespace

Sightings Sight(std::span<const Image> images, const std::vector<bool>& in_use) {
  Sightings sightings;
  for (std::size_t i = 0; i < images.size(); ++i) {
    bool& used = sightings[images[i].id.text()];
    used = used || in_use.at(i);
  }
  return sightings;
}

Candidacies Nominate(std::span<const Image> images, const std::vector<bool>& candidate) {
  Candidacies candidacies;
  for (std::size_t i = 0; i < images.size(); ++i) {
    const bool could_go = candidate.at(i);
    const auto [entry, first] = candidacies.try_emplace(images[i].id.text(), could_go);
    if (!first) entry->second = entry->second && could_go;
  }
  return candidacies;
}

Nanos TrustedInterval(const LookTime& earlier, const LookTime& now, bool same_process) {
  Nanos interval = now.steady - earlier.steady;
  if (!same_process) {
    if (earlier.boot_id.empty() || earlier.boot_id != now.boot_id) return Nanos::zero();
    interval = std::min(interval, now.wall - earlier.wall);
  }
  return std::max(interval, Nanos::zero());
}

Records Advance(const Records& before, const LookTime& now, const Sightings& sightings) {
  Records after;
  after.last_look = now;
  for (const auto& [id, in_use] : sightings) {
    const auto known = before.images.find(id);
    ImageRecord record;
    if (known != before.images.end()) record = known->second;
    record.just_seen = known == before.images.end();
    if (record.just_seen) record.first_seen = now.wall;
    if (in_use) {
      record.last_used = now.wall;
      record.idle_from.reset();
    } else if (!record.idle_from) {
      record.idle_from = now.observed;
    }
    after.images.emplace_hint(after.images.end(), id, record);
  }
  return after;
}

Records Evaluate(Records before, const Candidacies& candidacies) {
  for (auto& [id, record] : before.images) {
    const auto found = candidacies.find(id);
    const bool candidate = found != candidacies.end() && found->second;
    record.candidate_runs = candidate ? record.candidate_runs + 1 : 0;
  }
  return before;
}

Records WithRunsOf(const Records& other, Records records) {
  for (auto& [id, record] : records.images) record.candidate_runs = RunsOf(other, id);
  return records;
}

Records MorePatient(Records a, const Records& b) {
  for (auto& [id, record] : a.images) {
    record.candidate_runs = std::min(record.candidate_runs, RunsOf(b, id));
    const auto found = b.images.find(id);
    if (found == b.images.end()) continue;
    const ImageRecord& other = found->second;
    record.first_seen = std::max(record.first_seen, other.first_seen);
    record.last_used = std::max(record.last_used, other.last_used);
    record.just_seen = record.just_seen || other.just_seen;
    if (!record.idle_from) continue;
    const Nanos idle = std::min(IdleTime(a, record), IdleTime(b, other));
    record.idle_from = a.last_look->observed - idle;
  }
  return a;
}

std::vector<ImageAge> Ages(const Records& after, std::span<const Image> images) {
  std::vector<ImageAge> ages;
  ages.reserve(images.size());
  for (const Image& image : images) {
    const ImageRecord& record = after.images.at(image.id.text());
    ImageAge age;
    age.first_seen = ToSystemTime(record.first_seen);
    if (record.last_used) age.last_used = ToSystemTime(*record.last_used);
    age.unused_for = std::chrono::duration_cast<Millis>(IdleTime(after, record));
    age.watched_unused_for = age.unused_for;
    age.just_seen = record.just_seen;
    ages.push_back(age);
  }
  return ages;
}

std::vector<int> CandidateRuns(const Records& after, std::span<const Image> images,
                               const Candidacies& candidacies) {
  std::vector<int> runs;
  runs.reserve(images.size());
  for (const Image& image : images) {
    const std::string& id = image.id.text();
    runs.push_back(candidacies.at(id) ? std::max(1, RunsOf(after, id)) : 0);
  }
  return runs;
}

}  // namespace imagesweep
