#include "agent/daemon/event_publisher.h"

#include <algorithm>
#include <utility>

namespace imagesweep {
namespace {

constexpr auto kComplainEvery = std::chrono::hours(1);
constexpr Millis kIdle = std::chrono::minutes(10);
// Queued for the thread; far more than arrive between two requests.
constexpr std::size_t kMostOffered = 256;

}  // namespace

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
    if (offered.size() == kMostOffered) offered.erase(offered.begin());
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
