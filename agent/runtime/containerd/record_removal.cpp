#include "agent/runtime/containerd/record_removal.h"

#include <algorithm>
#include <utility>

namespace imagesweep::containerd {
namespace {

struct Step {
  Record record;
  bool last = false;  // for its digest: after it, the content may be collected
};

std::vector<Step> StepsOf(const std::vector<Record>& records) {
  std::vector<Step> steps;
  steps.reserve(records.size());
  for (auto it = records.begin(); it != records.end(); ++it)
    steps.push_back({*it, std::none_of(it + 1, records.end(), [&](const Record& later) {
                       return later.target == it->target;
                     })});
  std::ranges::stable_partition(steps, [](const Step& step) { return !step.last; });
  return steps;
}

constexpr int kMaxChecks = 3;

// Whether the record exists and can be deleted. An error: it refers to another image.
Result<bool> IsThere(const Record& record, RecordStore& store) {
  const auto target = store.Read(record.name);
  if (!target) return target.error();
  if (*target && **target != record.target)
    return Error{ErrorKind::kIncomplete, record.name + " now refers to another image"};
  return target->has_value();
}

}  // namespace

std::string RestoreRecords(const std::vector<Record>& records, RecordStore& store) {
  std::string why;
  for (const Record& record : records) {
    const auto target = store.Read(record.name);
    if (target && *target) continue;  // it was never deleted, or exists again
    if (store.Create(record.name, record.name)) continue;
    why += (why.empty() ? "" : ", ") + record.name;
  }
  return why.empty() ? why : "could not create these names again: " + why;
}

Result<Removal> RemoveRecords(const std::vector<Record>& records, RecordStore& store,
                              DeletionGuard& guard) {
  std::vector<Record> gone;  // or possibly deleted
  const auto undone = [&](Error error) {
    if (std::string missing = RestoreRecords(gone, store); !missing.empty())
      error.what += "; " + missing;
    return error;
  };
  const auto skip = [&](std::string why) -> Result<Removal> {
    const std::string missing = RestoreRecords(gone, store);
    if (missing.empty()) return Removal::Skipped(std::move(why));
    return Error{ErrorKind::kIncomplete, why + "; " + missing};
  };
  bool begun = false;
  Result<bool> there = false;
  for (const Step& step : StepsOf(records)) {
    const bool asks = step.last || !begun;
    // Read the name after the guard, which may have taken time, and right before the deletion.
    for (int checks = 0;; ++checks) {
      if (asks && checks == kMaxChecks)
        return skip("it cannot be deleted within 50ms of the last recheck; left for the next run");
      if (asks)
        if (std::string why = guard.WhyNot(); !why.empty()) return skip(std::move(why));
      there = IsThere(step.record, store);
      if (!there) return undone(there.error());
      if (!asks || !*there || guard.StillHolds()) break;
    }
    if (!*there) continue;
    begun = true;
    auto deleted = store.Delete(step.record);
    if (!deleted && deleted.error().kind == ErrorKind::kNotFound) {
      const auto still = IsThere(step.record, store);
      if (!still) return undone(still.error());
      if (*still) return undone(deleted.error());
      continue;
    }
    // It is unknown whether the last record was deleted, and names without content must not come
    // back.
    if (!deleted && step.last) return std::move(deleted).error();
    gone.push_back(step.record);
    if (!deleted) return undone(std::move(deleted).error());
  }
  return Removal::kRemoved;
}

}  // namespace imagesweep::containerd
