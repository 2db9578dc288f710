#include "agent/gc/remove/batch.h"

#include <algorithm>
#include <system_error>
#include <thread>
#include <utility>

#include "agent/base/duration.h"

namespace imagesweep {
namespace {

std::string TooLate(Millis listing_took) {
  if (listing_took > kMaxRecheckWindow)
    return "the runtime took " + FormatDuration(listing_took) +
           " to list containers; a removal must follow within 50ms of the request";
  return "the node is too busy to remove images within 50ms of a recheck; deferred to the next run";
}

}  // namespace

// The guard of one removal.
class Batch::Guard final : public DeletionGuard {
 public:
  Guard(Batch& batch, ImagePos at, const std::stop_token& stop)
      : batch_(batch), at_(at), stop_(stop) {}

  std::string WhyNot() override {
    Lock lock(batch_.mu_);
    Millis age{0};
    std::string why = batch_.WhyNot(lock, at_, age, stop_);
    if (why.empty()) age_ = age;
    return why;
  }

  bool StillHolds() override {
    const Lock lock(batch_.mu_);
    const Millis age = batch_.Age();
    if (age > kMaxRecheckWindow || batch_.skipped_.contains(at_)) return false;
    age_ = age;
    return true;
  }

  // The age of the last recheck at the last permission.  Empty: there was no permission.
  const std::optional<Millis>& age() const { return age_; }

 private:
  Batch& batch_;
  const ImagePos at_;
  const std::stop_token stop_;
  std::optional<Millis> age_;
};

void Batch::Record(ImagePos at, OutcomeKind kind, std::string detail) {
  result_.outcomes.push_back({at, kind, std::move(detail)});
}

void Batch::SkipAll(std::vector<ImagePos>& left, const std::string& why) {
  for (const auto at : left) Record(at, OutcomeKind::kSkipped, why);
  left.clear();
}

int Batch::Failures() const {
  return static_cast<int>(
      std::ranges::count(result_.outcomes, OutcomeKind::kFailed, &Outcome::kind));
}

// Rounds up, so that more than 50 ms never count as 50 ms.
Millis Batch::Age() const {
  return requested_at_ ? std::chrono::ceil<Millis>(clock_.Steady() - *requested_at_)
                       : Millis::max();
}

std::string Batch::WhyEnded() const {
  if (result_.refused) return "recheck failed: " + result_.refused->error.what;
  if (!too_late_.empty()) return too_late_;
  return records_changed_ ? "new images may share its records" : "";
}

std::string Batch::WhyNot(Lock& lock, ImagePos at, Millis& age, const std::stop_token& stop) {
  for (bool found = false;;) {
    if (const auto it = skipped_.find(at); it != skipped_.end()) return it->second;
    if (std::string why = WhyEnded(); !why.empty()) return why;
    age = Age();
    const bool fresh = age <= kMaxRecheckWindow;
    // At half of the maximum age, so that the other threads do not have to wait.
    const bool due = recheck_early_ && !found && !pending_.empty() && age >= kMaxRecheckWindow / 2;
    if (fresh && (!due || rechecking_)) return {};
    if (rechecking_)
      rechecked_.wait(lock, [&] { return !rechecking_; });
    else
      Recheck(lock, stop);
    found = true;
  }
}

void Batch::Recheck(Lock& lock, const std::stop_token& stop) {
  std::vector<ImagePos> images(in_progress_.begin(), in_progress_.end());
  std::vector<bool> begun(images.size(), true);
  images.insert(images.end(), pending_.begin(), pending_.end());
  begun.resize(images.size(), false);
  rechecking_ = true;
  lock.unlock();
  RecheckAnswer result = rechecker_.Recheck({images, std::move(begun), !single_image_, began_},
                                            evidence_, index_, remover_, stop);
  const auto* found = std::get_if<RecheckResult>(&result);
  const bool holds =
      found == nullptr || found->listed.empty() || remover_.StillHolds(found->listed);
  lock.lock();
  rechecking_ = false;
  records_changed_ = records_changed_ || !holds;
  ApplyRecheck(images, std::move(result));
  rechecked_.notify_all();
}

// Even a stale recheck is newer than the plan, so its findings count.
void Batch::ApplyRecheck(const std::vector<ImagePos>& images, RecheckAnswer result) {
  if (auto* refusal = std::get_if<Refusal>(&result)) {
    // Removals in progress stop at their next guard.
    if (!result_.refused) result_.refused = std::move(*refusal);
    return;
  }
  const auto& found = std::get<RecheckResult>(result);
  for (std::size_t i = 0; i < images.size(); ++i)
    if (!found.skipped[i].empty()) skipped_.emplace(images[i], found.skipped[i]);
  if (std::ranges::none_of(found.skipped, &std::string::empty)) return;  // none can be removed
  requested_at_ = found.at;
  if (Age() <= kMaxRecheckWindow) {
    late_ = 0;
    return;
  }
  if (late_++ == 0) late_since_ = found.at;
  if (late_ >= kMaxStaleRechecks && clock_.Steady() - late_since_ >= kKeepRechecking)
    too_late_ = TooLate(found.listing_took);
}

void Batch::Begin(std::vector<ImagePos>& images, const std::stop_token& stop) {
  single_image_ = images.size() == 1;
  std::vector<const Image*> listed;
  listed.reserve(images.size());
  for (const auto at : images) listed.push_back(&evidence_.images[at]);
  if (auto begun = remover_.BeginBatch(listed, stop); !begun) {
    result_.stopped_early = stop.stop_requested() ? "shutting down" : begun.error().what;
    SkipAll(images, result_.stopped_early);
    return;
  }
  std::vector<ImagePos> may_go;
  for (const auto at : images) {
    if (std::string why = remover_.ReasonToSkip(evidence_.images[at]); !why.empty()) {
      Record(at, OutcomeKind::kSkipped, std::move(why));
      result_.outcomes.back().unavailable = true;
    } else {
      may_go.push_back(at);
    }
  }
  images = std::move(may_go);
}

void Batch::Record(ImagePos at, const Result<Removal>& answer) {
  if (!answer) {
    Record(at, OutcomeKind::kFailed, answer.error().what);
    result_.outcomes.back().lost = answer.error().kind == ErrorKind::kUnavailable;
    return;
  }
  switch (answer->kind) {
    case Removal::Kind::kRemoved:
      return Record(at, OutcomeKind::kRemoved);
    case Removal::Kind::kWouldRemove:
      return Record(at, OutcomeKind::kWouldRemove);
    case Removal::Kind::kInUseElsewhere:
      Record(at, OutcomeKind::kSkipped, "skipped, in use outside the CRI: " + answer->why);
      result_.outcomes.back().unavailable = true;
      return;
    case Removal::Kind::kSkipped:
      // The image is complete, so it can be tried again if only the records must be read again.
      if (records_changed_ && !skipped_.contains(at))
        retry_.push_back(at);
      else
        Record(at, OutcomeKind::kSkipped, answer->why);
  }
}

void Batch::RemoveAll(std::vector<ImagePos>& images, int may_fail, const std::stop_token& stop,
                      const std::stop_token& cancel) {
  const std::size_t threads = std::min(remover_.in_flight(), images.size());
  pending_ = std::move(images);
  retry_.clear();
  recheck_early_ = threads > 1;
  records_changed_ = false;
  const auto take = [&]() -> std::optional<ImagePos> {
    const Lock lock(mu_);
    while (!pending_.empty()) {
      if (stop.stop_requested() || !WhyEnded().empty()) return {};
      if (Failures() + static_cast<int>(in_progress_.size()) >= may_fail)
        return {};  // all may fail
      const auto at = pending_.front();
      pending_.erase(pending_.begin());
      if (const auto it = skipped_.find(at); it != skipped_.end()) {
        Record(at, OutcomeKind::kSkipped, it->second);
        continue;
      }
      in_progress_.insert(at);
      return at;
    }
    return {};
  };
  const auto work = [&] {
    while (const auto at = take()) {
      Guard guard(*this, *at, cancel);
      const auto answer = remover_.Remove(evidence_.images[*at], guard, cancel);
      const Lock lock(mu_);
      in_progress_.erase(*at);
      const bool skipped = answer && answer->kind == Removal::Kind::kSkipped;
      if (guard.age() && !skipped)
        result_.recheck_window_seconds.push_back(
            std::chrono::duration<double>(*guard.age()).count());
      Record(*at, answer);
    }
  };
  {
    std::vector<std::jthread> others;
    try {
      while (others.size() + 1 < threads) others.emplace_back(work);
    } catch (const std::system_error&) {
      // No more threads are available.  Continue with those that exist.
    }
    work();
  }
  images = std::move(retry_);
  images.insert(images.end(), pending_.begin(), pending_.end());
  pending_.clear();
}

BatchResult Batch::Run(std::vector<ImagePos> images, int may_fail, const std::stop_token& stop,
                       const std::stop_token& cancel) {
  result_ = {};
  Begin(images, stop);
  began_ = clock_.Steady();
  const auto record_skipped = [&] {
    std::erase_if(images, [&](ImagePos at) {
      const auto it = skipped_.find(at);
      if (it != skipped_.end()) Record(at, OutcomeKind::kSkipped, it->second);
      return it != skipped_.end();
    });
  };
  for (int begun_anew = 0; !images.empty();) {
    // The start of a batch may take long, for example for copies of images.
    if (std::string why = reason_to_end_(); !why.empty()) {
      result_.stopped_early = std::move(why);
      SkipAll(images, result_.stopped_early);
      break;
    }
    {  // once for all images, before the first removal
      Lock lock(mu_);
      pending_ = images;
      records_changed_ = false;
      requested_at_.reset();
      while (Age() > kMaxRecheckWindow && WhyEnded().empty() &&
             !std::ranges::all_of(pending_, [&](auto at) { return skipped_.contains(at); }))
        Recheck(lock, stop);
    }
    record_skipped();
    if (WhyEnded().empty()) RemoveAll(images, may_fail, stop, cancel);
    record_skipped();
    if (images.empty()) break;
    if (result_.refused) {
      SkipAll(images, WhyEnded());
    } else if (stop.stop_requested()) {
      result_.stopped_early = "shutting down";
      SkipAll(images, result_.stopped_early);
    } else if (Failures() >= may_fail) {
      result_.out_of_failures = true;
      SkipAll(images, "too many removals failed");
    } else if (!too_late_.empty()) {
      result_.stopped_early = too_late_;  // the next batch would also fail
      SkipAll(images, too_late_);
    } else if (records_changed_ && ++begun_anew < kMaxStaleRechecks) {
      Begin(images, stop);
    } else if (records_changed_) {
      SkipAll(images, "new images keep appearing; deferred to the next run");
    }
  }
  return std::move(result_);
}

}  // namespace imagesweep
