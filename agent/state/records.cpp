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

}  // namespace

Sightings Sight(std::span<const Image> images, const std::vector<bool>& in_use) {
  Sightings sightings;
  for (std::size_t i = 0; i < images.size(); ++i) {
    bool& used = sightings[images[i].id.text()];
    used = used || in_use.at(i);
  }
  return sightings;
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

Records MorePatient(Records a, const Records& b) {
  for (auto& [id, record] : a.images) {
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
    age.just_seen = record.just_seen;
    ages.push_back(age);
  }
  return ages;
}

}  // namespace imagesweep
