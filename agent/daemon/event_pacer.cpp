#include "agent/daemon/event_pacer.h"

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

}  // namespace imagesweep
