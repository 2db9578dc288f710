#include "agent/runtime/docker/event_watch.h"

#include <algorithm>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/base/backoff.h"
#include "agent/model/recent_use.h"
#include "agent/runtime/docker/containers.h"
#include "agent/runtime/docker/engine.h"
#include "agent/runtime/docker/image_mounts.h"
#include "agent/runtime/docker/images.h"
#include "agent/runtime/use_memory.h"

namespace imagesweep::docker {
namespace {

constexpr Millis kFirstWait{100};
constexpr Millis kLongestWait = std::chrono::seconds(3);
constexpr Millis kWorks = std::chrono::seconds(10);  // a refused subscription ends much sooner
// For the rounding of times, and a clock that is set back a little.
constexpr Millis kEarlier = std::chrono::seconds(1);
constexpr std::size_t kMaxLine = std::size_t{1} << 20;

// Handling one event longer than this may lose others: the daemon drops them for a subscriber that
// does not read (moby, daemon/events/events.go: 1,024 slots, 100 ms).
constexpr Millis kMaxHandling = std::chrono::seconds(1);

// {"type":["container","image"],"event":["create","start","pull","load","import","tag"]}
constexpr const char* kFilters =
    "%7B%22type%22%3A%5B%22container%22%2C%22image%22%5D%2C%22event%22%3A%5B%22create%22%2C"
    "%22start%22%2C%22pull%22%2C%22load%22%2C%22import%22%2C%22tag%22%5D%7D";

std::string SecondsOf(SystemTime time) {
  const auto nanos =
      std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count();
  std::string fraction = std::to_string(nanos % 1'000'000'000);
  fraction.insert(0, 9 - fraction.size(), '0');
  return std::to_string(nanos / 1'000'000'000) + "." + fraction;
}

}  // namespace

struct EventWatch::State {
  State(const Client& of, const Clock& with, Hooks those, std::size_t max_names)
      : client(of),
        clock(with),
        hooks(std::move(those)),
        memory(with, max_names),
        backoff(kFirstWait, kLongestWait, std::random_device{}()) {}

  Status Listen(const std::stop_token& stop);
  Status RememberAll(const std::stop_token& stop);
  bool RememberLine(std::string_view line, const std::stop_token& stop);
  bool RememberContainer(const EngineEvent& event, const std::stop_token& stop);
  bool RememberImage(const EngineEvent& event, const std::stop_token& stop);
  void Changed() const {
    if (hooks.changed) hooks.changed();
  }

  const Client& client;
  const Clock& clock;
  const Hooks hooks;
  UseMemory memory;
  Backoff backoff;
  bool told = false;  // that events do not arrive
};

// One subscription, from beginning to end.
Status EventWatch::State::Listen(const std::stop_token& stop) {
  const SystemTime before = clock.Now() - kEarlier;
  const SteadyTime began = clock.Steady();
  Status remembered = RememberAll(stop);
  if (!remembered) return remembered;
  memory.SetDisconnected(false);
  Changed();
  if (hooks.subscribed) hooks.subscribed();

  std::string line;
  bool any = false;
  const auto take = [&](std::string_view part) {
    while (!part.empty()) {
      const auto end = part.find('\n');
      line += part.substr(0, end);
      part.remove_prefix(end == std::string_view::npos ? part.size() : end + 1);
      if (end == std::string_view::npos) break;
      any = true;
      // After a lost event, a list shows the current uses again.
      const SteadyTime began_line = clock.Steady();
      const bool known = RememberLine(std::exchange(line, {}), stop);
      if (!known || clock.Steady() - began_line > kMaxHandling) {
        memory.SetDisconnected(true);
        remembered = RememberAll(stop);
        if (!remembered) return false;
        memory.SetDisconnected(false);
      }
      Changed();
    }
    if (line.size() <= kMaxLine) return true;
    remembered = Error{ErrorKind::kIncomplete, "GET /events: an event without an end"};
    return false;
  };
  const Request request{.target = "/events?since=" + SecondsOf(before) + "&filters=" + kFilters,
                        .name = "GET /events"};
  Status ended = client.Stream(request, Millis::zero(), take, stop);
  if (any || clock.Steady() - began >= kWorks) {
    backoff.Reset();
    told = false;
  }
  if (!remembered) return remembered;
  if (!ended) return ended;
  return Error{ErrorKind::kUnavailable, "GET /events: the stream ended"};
}

// False if the event was lost.
bool EventWatch::State::RememberLine(std::string_view line, const std::stop_token& stop) {
  if (std::ranges::all_of(line, [](char c) { return c == '\r' || c == ' '; })) return true;
  const auto event = ParseEvent(line);
  if (!event) return false;
  switch (event->kind) {
    case EngineEvent::Kind::kContainerCreated:
    case EngineEvent::Kind::kContainerStarted:
      return RememberContainer(*event, stop);
    case EngineEvent::Kind::kImagePulled:
    case EngineEvent::Kind::kImageLoaded:
    case EngineEvent::Kind::kImageTagged:
      return RememberImage(*event, stop);
    case EngineEvent::Kind::kOther:
      break;
  }
  return true;
}

// The container itself knows its image. One that is already gone had the image of that name.
bool EventWatch::State::RememberContainer(const EngineEvent& event, const std::stop_token& stop) {
  const auto container = InspectContainer(client, event.id, stop);
  if (!container) return false;
  std::string id;
  if (*container) {
    id = (*container)->image_id;
    for (const std::string& mounted : (*container)->mounted_images) {
      const auto image = Inspect(client, mounted, stop);
      if (!image || !*image || !memory.Remember((*image)->id, event.id)) return false;
    }
  } else {
    const auto image = Inspect(client, event.image, stop);
    if (!image || !*image) return false;
    id = (*image)->id;
  }
  return memory.Remember(id, event.id) && memory.Remember(event.image, event.id);
}

bool EventWatch::State::RememberImage(const EngineEvent& event, const std::stop_token& stop) {
  std::string id = event.id;
  if (!IsFullImageId(id)) {
    const auto image = Inspect(client, event.id, stop);
    if (!image) return false;
    if (!*image) return true;  // it is already gone
    id = (*image)->id;
  }
  const std::string mark(kCameAgain);
  return memory.Remember(mark + event.image, {}) && memory.Remember(mark + id, {});
}

Status EventWatch::State::RememberAll(const std::stop_token& stop) {
  const auto body = client.Get("/containers/json?all=1", stop);
  if (!body) return body.error();
  const auto listed = ParseContainers(*body);
  if (!listed) return listed.error().Wrap("GET /containers/json");
  bool all = true;
  for (const ListedContainer& container : *listed) {
    RuntimeUse use;
    AddContainer(container, {}, use);
    for (const ImageReference& reference : use.references)
      all = memory.Remember(reference.text, container.id) && all;
  }
  if (all) return Done{};
  return Error{ErrorKind::kIncomplete,
               "GET /containers/json: the containers use more images than can be remembered"};
}

EventWatch::EventWatch(const Client& client, const Clock& clock, Hooks hooks, std::size_t max_names)
    : state_(std::make_unique<State>(client, clock, std::move(hooks), max_names)) {}

EventWatch::~EventWatch() = default;

void EventWatch::Run(const std::stop_token& stop) {
  State& state = *state_;
  do {
    const Status ended = state.Listen(stop);
    if (stop.stop_requested()) return;
    state.memory.SetDisconnected(true);
    state.Changed();
    if (!std::exchange(state.told, true) && state.hooks.lost) state.hooks.lost(ended.error());
  } while (state.clock.Sleep(state.backoff.Next(), stop));
}

EventWatch::Uses EventWatch::Drain() {
  return state_->memory.Drain();
}

}  // namespace imagesweep::docker
