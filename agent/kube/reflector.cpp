#include "agent/kube/reflector.h"

#include <utility>

#include "agent/kube/json_splitter.h"

namespace imagesweep::kube {
namespace {

constexpr Millis kFirstBackoff{800};
constexpr Millis kLastBackoff{30'000};
constexpr Millis kHealthyAfter = std::chrono::minutes(2);
// A watch that ends sooner, without an event, did not work (client-go, VeryShortWatchError).
constexpr Millis kVeryShort = std::chrono::seconds(1);

std::optional<EventType> TypeOf(const std::string& type) {
  if (type == "ADDED") return EventType::kAdded;
  if (type == "MODIFIED") return EventType::kModified;
  if (type == "DELETED") return EventType::kDeleted;
  return std::nullopt;
}

}  // namespace

Reflector::Reflector(HttpTransport& transport, const Lister& lister, ReflectorHandler& handler,
                     const Clock& clock, Options options, RequestObserver observer)
    : transport_(transport),
      lister_(lister),
      handler_(handler),
      clock_(clock),
      options_(options),
      observer_(std::move(observer)),
      backoff_(kFirstBackoff, kLastBackoff, options.seed),
      random_(options.seed + 1) {}

void Reflector::Run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    if (resource_version_.empty() && !ListOnce(stop)) continue;
    const SteadyTime start = clock_.Steady();
    const Ending ending = WatchOnce(stop);
    if (stop.stop_requested()) return;
    if (clock_.Steady() - start >= kHealthyAfter) backoff_.Reset();
    if (ending.lost) handler_.Lose(ending.lost->Wrap("watch " + lister_.resource()));
    if (ending.next == Next::kRelist) resource_version_.clear();
    if (!ending.healthy) Pause(ending.retry_after, stop);
  }
}

bool Reflector::ListOnce(const std::stop_token& stop) {
  auto listed = lister_.List(stop);
  if (stop.stop_requested()) return false;
  if (const auto* failure = std::get_if<ListFailure>(&listed)) {
    handler_.Lose(failure->error);
    Pause(failure->retry_after, stop);
    return false;
  }
  const auto& list = std::get<ObjectList>(listed);
  if (auto status = handler_.Replace(list); !status) {
    handler_.Lose(status.error().Wrap("list " + lister_.resource()));
    Pause({}, stop);
    return false;
  }
  resource_version_ = list.resource_version;
  return true;
}

bool Reflector::Pause(const std::optional<Millis>& at_least, const std::stop_token& stop) {
  return clock_.Sleep(backoff_.Next(at_least.value_or(Millis::zero())), stop);
}

// What an ending told by the server means.  Too many requests and passing faults do not lose
// events: the same resourceVersion still covers the gap, and a list would only add to the load.
Reflector::Ending Reflector::AfterStatus(const ApiStatus& status) {
  Ending ending;
  ending.lost = status.ToError();
  ending.retry_after = status.retry_after;
  const bool passing =
      status.throttled() || status.code >= 500 || status.code == 401 || status.code == 403;
  ending.next = passing && !status.expired() && !status.too_large() ? Next::kResume : Next::kRelist;
  return ending;
}

// One event; an ending when the watch cannot go on after it.
std::optional<Reflector::Ending> Reflector::OnObject(std::string_view text) {
  const auto unreadable = [](const Error& why) { return Ending{Next::kRelist, why, {}, false}; };
  const auto event = ParseStrict(text);
  if (!event) return unreadable(event.error());
  auto type = TextAt(*event, "type");
  auto object = ObjectAt(*event, "object");
  if (!type) return unreadable(type.error());
  if (!object) return unreadable(object.error());
  if (*object == nullptr) return unreadable({ErrorKind::kIncomplete, "an event has no object"});
  if (*type == "ERROR") {
    const ApiStatus status = ReadStatus(**object);
    Ending ending = AfterStatus(status);
    // A server that fails inside a watch may have lost events of it.
    if (!status.throttled()) ending.next = Next::kRelist;
    return ending;
  }
  auto metadata = ObjectAt(**object, "metadata");
  if (!metadata) return unreadable(metadata.error());
  if (*metadata == nullptr)
    return unreadable({ErrorKind::kIncomplete, "an event's object has no metadata"});
  auto version = TextAt(**metadata, "resourceVersion");
  if (!version) return unreadable(version.error());
  if (version->empty())
    return unreadable({ErrorKind::kIncomplete, "an event has no resourceVersion"});
  if (*type != "BOOKMARK") {
    const auto known = TypeOf(*type);
    if (!known)
      return unreadable(
          {ErrorKind::kIncomplete, "unknown event type \"" + type->substr(0, 40) + "\""});
    if (auto status = handler_.Apply(*known, **object); !status) return unreadable(status.error());
  }
  saw_event_ = true;
  resource_version_ = *std::move(version);
  handler_.Confirm();
  return std::nullopt;
}

Reflector::Ending Reflector::WatchOnce(const std::stop_token& stop) {
  const int timeout = std::uniform_int_distribution<int>(300, 600)(random_);
  const SteadyTime start = clock_.Steady();
  JsonSplitter splitter;
  std::optional<Ending> ended;
  saw_event_ = false;
  const auto on_data = [&](std::string_view piece) {
    const auto fed = splitter.Feed(piece, [&](std::string_view object) {
      ended = OnObject(object);
      return !ended;
    });
    if (fed == JsonSplitter::Fed::kMalformed)
      ended = Ending{Next::kRelist,
                     Error{ErrorKind::kIncomplete, "not a stream of events, or one too large"},
                     {},
                     false};
    return !ended;
  };
  const auto response = transport_.Stream(
      lister_.WatchPath(resource_version_, timeout), options_.idle, stop,
      [&] { handler_.Confirm(); }, on_data);
  if (observer_)
    observer_(
        "watch", lister_.resource(),
        response ? std::to_string(response->status) : std::string(ToString(response.error().kind)));
  if (ended) return *std::move(ended);
  // Half an event at the end is dropped; the same resourceVersion brings it again.
  if (!response) return {Next::kResume, response.error(), {}, false};
  if (response->status != 200) return AfterStatus(ReadStatus(*response));
  if (!saw_event_ && clock_.Steady() - start < kVeryShort)
    return {Next::kResume,
            Error{ErrorKind::kUnavailable, "ended at once, without an event"},
            {},
            false};
  return {Next::kResume, {}, {}, true};
}

}  // namespace imagesweep::kube
