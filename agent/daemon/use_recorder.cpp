#include "agent/daemon/use_recorder.h"

#include <algorithm>
#include <utility>

namespace imagesweep {

UseRecorder::UseRecorder(Sources sources, UseLog& log, const Clock& clock,
                         std::function<void(const Error&)> failed)
    : sources_(std::move(sources)),
      log_(log),
      clock_(clock),
      failed_(std::move(failed)),
      gathered_(clock.Steady()) {}

void UseRecorder::Run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    if (Step())
      clock_.Sleep(kPause, stop);
    else
      wakeup_.Wait(kPause, stop);
  }
}

bool UseRecorder::Step() {
  std::vector<std::string> uses;
  std::optional<SteadyTime> since;
  std::uint64_t notified = 0;
  bool begins = false;
  {
    const std::scoped_lock lock(mu_);
    Gather();
    uses.assign(unwritten_.begin(), unwritten_.end());
    since = Since();
    begins = since && since != written_since_;
    notified = notified_;
  }
  const bool writes = !uses.empty() || begins;
  Status status = writes ? log_.Write(uses, since) : Status(Done{});
  {
    const std::scoped_lock lock(mu_);
    if (status) {
      for (const std::string& use : uses) unwritten_.erase(use);
      if (begins) written_since_ = since;
    } else {
      written_since_.reset();  // the next step may write another file
    }
    const bool all = notified == notified_;
    const Status told = log_.Tell(!since || !status ? WatchState::kNone
                                  : all             ? WatchState::kWritten
                                                    : WatchState::kBehind);
    told_written_ = told && status && since && all;
    if (status && !told) status = told;
  }
  if (!status && failed_) failed_(status.error());
  return writes;
}

void UseRecorder::Notify() {
  {
    const std::scoped_lock lock(mu_);
    ++notified_;
    // Releasing a lock cannot fail unless the lock is already lost.
    if (std::exchange(told_written_, false)) (void)log_.Tell(WatchState::kBehind);
  }
  wakeup_.Notify();
}

std::vector<ImageReference> UseRecorder::Take() {
  const std::scoped_lock lock(mu_);
  Gather();
  std::vector<ImageReference> references;
  references.reserve(pending_.size());
  for (auto& [text, reference] : std::exchange(pending_, {}))
    references.push_back(std::move(reference));
  return references;
}

std::optional<SteadyTime> UseRecorder::watched_since() const {
  const std::scoped_lock lock(mu_);
  if (clock_.Steady() - gathered_ >= kStopped) return std::nullopt;
  return Since();
}

void UseRecorder::Gather() {
  const SteadyTime now = clock_.Steady();
  if (now - std::exchange(gathered_, now) >= kStopped) not_before_ = now;
  UseSource::Uses events = sources_.events();
  events_since_ = events.since;
  Add(std::move(events.references), nullptr);
  if (!sources_.pods) return;
  kube::Recent pods = sources_.pods();
  // Empty before the first list; a run does not trust a node without pods anyway.
  if (!pods.complete || (!pods_since_ && !pods.references.empty())) pods_since_ = now;
  Add(std::move(pods.references), &pods_before_);
}

// References that were present at the last read of the pods are already written.
void UseRecorder::Add(std::vector<ImageReference> references, std::set<std::string>* seen_before) {
  std::set<std::string> seen;
  for (ImageReference& reference : references) {
    if (seen_before != nullptr) seen.insert(reference.text);
    if (seen_before == nullptr || !seen_before->contains(reference.text))
      unwritten_.insert(reference.text);
    const auto known = pending_.find(reference.text);
    if (known == pending_.end())
      pending_.emplace(reference.text, std::move(reference));
    else
      known->second.chosen = known->second.chosen || reference.chosen;
  }
  if (seen_before != nullptr) *seen_before = std::move(seen);
}

std::optional<SteadyTime> UseRecorder::Since() const {
  if (!events_since_ || (sources_.pods && !pods_since_)) return std::nullopt;
  SteadyTime since = *events_since_;
  if (sources_.pods) since = std::max(since, *pods_since_);
  return not_before_ ? std::max(since, *not_before_) : since;
}

}  // namespace imagesweep
