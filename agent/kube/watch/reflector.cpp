#include "agent/kube/watch/reflector.h"

#include <algorithm>
#include <utility>

#include "agent/base/parse_number.h"
#include "agent/base/printable_ascii.h"
#include "agent/kube/client/json_filter.h"

namespace imagesweep::kube {
namespace {

// A refused run is repeated after at most a minute, so a list that is still refused at the end of
// this time is accepted within two minutes.
constexpr Millis kGrace = std::chrono::seconds(45);

// client-go waits 0.8 s to 30 s plus up to as much again (reflector.go, jitter 1.0); Backoff draws
// from the upper half of its ceiling.
constexpr Millis kFirstBackoff{1'600};
constexpr Millis kLastBackoff{60'000};
constexpr Millis kHealthyAfter = std::chrono::minutes(2);
constexpr int kMaxVersionedLists = 2;  // failures in a row

std::optional<EventType> TypeOf(const std::string& type) {
  if (type == "ADDED") return EventType::kAdded;
  if (type == "MODIFIED") return EventType::kModified;
  if (type == "DELETED") return EventType::kDeleted;
  return std::nullopt;
}

}  // namespace

Status RewindGuard::Check(const std::string& listed, const std::string& watched, SteadyTime now) {
  const auto number = ParseNumber<std::uint64_t>(listed);
  if (!number) return Done{};  // the server does not order its versions
  const auto watch = ParseNumber<std::uint64_t>(watched);
  const std::uint64_t newest = watch && watch != discounted_ ? std::max(newest_, *watch) : newest_;
  if (*number < newest) {
    if (!back_ || *number < back_->version) back_ = Back{*number, now};
    if (now - back_->since < kGrace)
      return Error{ErrorKind::kIncomplete, "the API server went back in time (resourceVersion " +
                                               listed + " after " + std::to_string(newest) +
                                               "); waiting 45 s for a second list"};
    discounted_ = watch;
  }
  back_.reset();
  newest_ = *number;
  return Done{};
}

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
  while (!stop.stop_requested())
    if (!list_from_ || ListOnce(stop)) WatchOnce(stop);
}

bool Reflector::ListOnce(const std::stop_token& stop) {
  auto listed = lister_.List(*list_from_, stop, handler_.sink());
  if (stop.stop_requested()) return false;
  if (const auto* failure = std::get_if<ListFailure>(&listed)) {
    OnDisconnected(failure->error,
                   failure->version_unusable || failure->error.kind == ErrorKind::kIncomplete);
    // The server may not say that a version of its future is unusable.
    const bool versioned = !list_from_->empty();
    const bool ask_without = failure->version_unusable || ++failed_lists_ >= kMaxVersionedLists;
    if (versioned && ask_without) list_from_ = std::string();
    if (!versioned || !failure->version_unusable)  // otherwise at once
      Pause(backoff_, failure->retry_after, stop);
    return false;
  }
  const auto& list = std::get<ObjectList>(listed);
  if (auto status = handler_.Replace(list); !status) {
    OnDisconnected(status.error().Wrap("list " + lister_.resource()), /*events_lost=*/true);
    Pause(backoff_, {}, stop);
    return false;
  }
  lost_events_.reset();
  failed_lists_ = 0;
  resource_version_ = list.resource_version;
  listed_at_ = clock_.Steady();
  last_progress_at_ = listed_at_;
  handler_.OnProgress(last_progress_at_);
  list_from_.reset();
  return true;
}

// An unreachable server does not undo an earlier loss of events.
void Reflector::OnDisconnected(const Error& why, bool events_lost) {
  if (events_lost) lost_events_ = Error{ErrorKind::kIncomplete, why.what};
  if (!lost_events_)
    handler_.OnDisconnected(why);
  else if (events_lost)
    handler_.OnDisconnected(*lost_events_);
  else
    handler_.OnDisconnected(
        {ErrorKind::kIncomplete, lost_events_->what + "; since then: " + why.what});
}

void Reflector::WatchOnce(const std::stop_token& stop) {
  const SteadyTime start = clock_.Steady();
  const WatchEnding ending = WatchToItsEnd(stop);
  if (stop.stop_requested()) return;
  if (ending.lost)
    OnDisconnected(ending.lost->Wrap("watch " + lister_.resource()),
                   ending.next == WatchEnding::Next::kRelist);
  const SteadyTime now = clock_.Steady();
  bool soon = false;
  if (ending.next == WatchEnding::Next::kRelist) {
    list_from_ = resource_version_;
    // The server answers, possibly after an outage. The back-off of the outage must not delay the
    // list that ends it.
    soon = now - listed_at_ >= kLastBackoff;
  } else if (!ending.throttled && options_.relist_unheard > Millis::zero() &&
             now - last_progress_at_ >= options_.relist_unheard) {
    list_from_ = std::string();
  } else if (!ending.throttled && now - listed_at_ >= options_.relist_after) {
    list_from_ = std::string();
  }
  const bool lived = ending.quiet || now - start >= kHealthyAfter;
  if (lived) backoff_.Reset();
  Backoff shortest(kFirstBackoff, kFirstBackoff, random_());
  if (!lived || ending.lost) Pause(soon ? shortest : backoff_, ending.retry_after, stop);
}

void Reflector::Pause(Backoff& backoff, const std::optional<Millis>& at_least,
                      const std::stop_token& stop) {
  clock_.Sleep(backoff.Next(at_least.value_or(Millis::zero())), stop);
}

// Handles one event. Returns an ending if the watch cannot continue after it.
std::optional<WatchEnding> Reflector::OnObject(std::string_view text) {
  const auto unreadable = [](const Error& why) { return AfterUnreadable(why); };
  const auto event = ParseStrict(text);
  if (!event) return unreadable(event.error());
  auto type = TextAt(*event, "type");
  auto object = ObjectAt(*event, "object");
  if (!type) return unreadable(type.error());
  if (!object) return unreadable(object.error());
  if (*object == nullptr) return unreadable({ErrorKind::kIncomplete, "an event has no object"});
  if (*type == "ERROR") return AfterErrorEvent(ReadStatus(**object));
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
          {ErrorKind::kIncomplete, "unknown event type \"" + PrintableAscii(*type) + "\""});
    if (auto status = handler_.Apply(*known, **object); !status) return unreadable(status.error());
  }
  saw_event_ = true;
  resource_version_ = *std::move(version);
  handler_.OnSynced();
  last_progress_at_ = clock_.Steady();
  handler_.OnProgress(last_progress_at_);
  return std::nullopt;
}

WatchEnding Reflector::WatchToItsEnd(const std::stop_token& stop) {
  const int timeout = std::uniform_int_distribution<int>(300, 600)(random_);
  const SteadyTime start = clock_.Steady();
  std::optional<WatchEnding> ended;
  JsonFilter filter(lister_.event_keep(), [&](std::string_view object) {
    ended = OnObject(object);
    return !ended;
  });
  saw_event_ = false;
  bool opened = false;
  const auto on_data = [&](std::string_view piece) {
    if (filter.Feed(piece) == JsonFilter::FeedResult::kMalformed)
      ended =
          AfterUnreadable({ErrorKind::kIncomplete,
                           "the stream of events is malformed, too large, or nested too deeply"});
    return !ended;
  };
  const auto response = transport_.Stream(
      lister_.WatchPath(resource_version_, timeout), options_.idle, stop,
      [&] {
        opened = true;
        handler_.OnSynced();
      },
      on_data);
  if (observer_) observer_("watch", lister_.resource(), CodeOf(response));
  if (ended) return *std::move(ended);
  if (!response && opened && response.error().kind == ErrorKind::kDeadline) return AfterSilence();
  if (!response && filter.mid_object())
    return AfterBreak({ErrorKind::kIncomplete,
                       "the stream broke off in the middle of an event: " + response.error().what});
  if (!response) return AfterBreak(response.error());
  if (response->status != 200) return AfterRefusal(ReadStatus(*response));
  if (filter.mid_object())
    return AfterBreak({ErrorKind::kIncomplete, "the stream ended in the middle of an event"});
  return AfterEnd(std::chrono::duration_cast<Millis>(clock_.Steady() - start), saw_event_);
}

namespace {

using Next = WatchEnding::Next;

constexpr Millis kVeryShort = std::chrono::seconds(1);

}  // namespace

// Throttling and temporary faults lose no events: the same resourceVersion still covers the gap,
// and a list would only add to the load.
WatchEnding AfterRefusal(const ApiStatus& status) {
  const bool passing =
      status.throttled() || status.code >= 500 || status.code == 401 || status.code == 403;
  const bool version_unusable = status.expired() || status.too_large();
  return {passing && !version_unusable ? Next::kResume : Next::kRelist, status.ToError(),
          status.retry_after, status.throttled()};
}

// A server that fails inside a watch may have lost events. A throttling server has not.
WatchEnding AfterErrorEvent(const ApiStatus& status) {
  return {status.throttled() ? Next::kResume : Next::kRelist, status.ToError(), status.retry_after,
          status.throttled()};
}

WatchEnding AfterUnreadable(Error why) {
  return {Next::kRelist, std::move(why), {}, false};
}

WatchEnding AfterBreak(Error why) {
  return {Next::kResume, std::move(why), {}, false};
}

WatchEnding AfterSilence() {
  return {Next::kResume, {}, {}, false, true};
}

WatchEnding AfterEnd(Millis lived, bool saw_event) {
  if (!saw_event && lived < kVeryShort)
    return AfterBreak({ErrorKind::kUnavailable, "the stream ended at once, without an event"});
  return {};
}

}  // namespace imagesweep::kube
