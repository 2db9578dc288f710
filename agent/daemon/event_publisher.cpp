#include "agent/daemon/event_publisher.h"

#include <algorithm>
#include <cstdio>
#include <utility>

namespace imagesweep {
namespace {

constexpr auto kApart = std::chrono::minutes(10);
constexpr auto kAtOnceApart = std::chrono::seconds(10);

// As client-go names events: the object, and the time in nanoseconds.
std::string NameOf(const std::string& prefix, const std::string& reason, SystemTime at) {
  std::string name = prefix + "." + reason;
  std::ranges::transform(name, name.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  char time[24];
  std::snprintf(
      time, sizeof time, ".%llx",
      static_cast<unsigned long long>(std::chrono::nanoseconds(at.time_since_epoch()).count()));
  return name + time;
}

constexpr auto kComplainEvery = std::chrono::hours(1);
constexpr Millis kIdle = std::chrono::minutes(10);
// Queued for the thread; far more than arrive between two requests.
constexpr std::size_t kMaxOffered = 256;

}  // namespace

EventPacer::EventPacer(std::string prefix) : prefix_(std::move(prefix)) {}

void EventPacer::Offer(const NodeEvent& event, SystemTime at) {
  for (const std::string& reason : event.withdraws) {
    const auto found = by_reason_.find(reason);
    if (found == by_reason_.end()) continue;
    found->second.waiting.reset();
    found->second.written.reset();  // if it holds again, it is written as a new event
  }
  Entry& entry = by_reason_[event.reason];
  const bool goes_on = entry.written && entry.written->event.note == event.note;
  if (goes_on && event.only_when_changed) {
    entry.waiting.reset();  // back to the event that was written last
    return;
  }
  if (goes_on) {
    const int before =
        entry.waiting && entry.waiting->exists ? entry.waiting->count : entry.written->count;
    entry.waiting = entry.written;
    entry.waiting->exists = true;
    entry.waiting->count = before + 1;
    entry.waiting->last = at;
    return;
  }
  if (event.at_once) entry.due = std::min(entry.due, entry.due_at_once);
  entry.waiting = NodeEventWrite{event, NameOf(prefix_, event.reason, at), at, at, 1, false};
}

std::optional<NodeEventWrite> EventPacer::Next(SteadyTime now) const {
  for (const auto& [reason, entry] : by_reason_)
    if (entry.waiting && now >= entry.due) return entry.waiting;
  return std::nullopt;
}

void EventPacer::Written(const NodeEventWrite& write, SteadyTime now) {
  Entry& entry = by_reason_[write.event.reason];
  entry.written = write;
  entry.waiting.reset();
  entry.due = now + kApart;
  entry.due_at_once = now + kAtOnceApart;
}

void EventPacer::Failed(const NodeEventWrite& write, SteadyTime retry_at) {
  by_reason_[write.event.reason].due = retry_at;
}

void EventPacer::Forgotten(const NodeEventWrite& write) {
  Entry& entry = by_reason_[write.event.reason];
  entry.written.reset();
  if (!entry.waiting) return;
  entry.waiting->exists = false;
  entry.waiting->count = 1;
  entry.waiting->first = entry.waiting->last;
  entry.waiting->name = NameOf(prefix_, write.event.reason, entry.waiting->last);
}

std::optional<SteadyTime> EventPacer::NextDue() const {
  std::optional<SteadyTime> next;
  for (const auto& [reason, entry] : by_reason_)
    if (entry.waiting && (!next || entry.due < *next)) next = entry.due;
  return next;
}

EventPublisher::EventPublisher(std::string node, Write write, Log& log, const Clock& clock,
                               Backoff retry)
    : write_(std::move(write)),
      log_(log),
      clock_(clock),
      pacer_(std::move(node)),
      backoff_(retry) {}

Backoff EventPublisher::DefaultRetry(std::uint64_t seed) {
  return {std::chrono::seconds(2), std::chrono::minutes(5), seed};
}

void EventPublisher::Offer(NodeEvent event) {
  offered_.With([&](auto& offered) {
    if (offered.size() == kMaxOffered) offered.erase(offered.begin());
    offered.push_back({std::move(event), clock_.Now()});
    return 0;
  });
  wakeup_.Notify();
}

void EventPublisher::Run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    for (const Offered& one :
         offered_.With([](auto& offered) { return std::exchange(offered, {}); }))
      pacer_.Offer(one.event, one.at);
    if (const auto write = pacer_.Next(clock_.Steady())) {
      WriteOne(*write, stop);
      continue;
    }
    const auto due = pacer_.NextDue();
    const Millis left = due ? std::chrono::ceil<Millis>(*due - clock_.Steady()) : kIdle;
    wakeup_.Wait(std::clamp(left, Millis(1), kIdle), stop);
  }
}

void EventPublisher::WriteOne(const NodeEventWrite& write, const std::stop_token& stop) {
  const Status status = write_(write, stop);
  if (status) {
    backoff_.Reset();
    pacer_.Written(write, clock_.Steady());
    return;
  }
  if (stop.stop_requested()) return;
  if (write.exists && status.error().kind == ErrorKind::kNotFound) {
    pacer_.Forgotten(write);
    return;
  }
  pacer_.Failed(write, clock_.Steady() + backoff_.Next());
  Complain(status.error());
}

void EventPublisher::Complain(const Error& why) {
  if (complained_ && clock_.Steady() - *complained_ < kComplainEvery) return;
  complained_ = clock_.Steady();
  log_.Warn("Failed to write event", {{"err", why.what}});
}

}  // namespace imagesweep
