#include "agent/kube/client/lister.h"

#include <set>
#include <utility>

#include "agent/base/codec.h"
#include "agent/base/printable_ascii.h"

namespace imagesweep::kube {
namespace {

constexpr Millis kListTimeout = std::chrono::seconds(30);
// A snapshot lives five minutes by default. If it expires twice, it will expire again.
constexpr int kMaxRestarts = 2;

// The list without its items.
struct Envelope {
  std::string resource_version;
  std::string continue_token;
};

Result<Envelope> ReadEnvelope(std::string_view text) {
  auto json = ParseStrict(text);
  if (!json) return std::move(json).error();
  auto kind = TextAt(*json, "kind");
  if (!kind) return std::move(kind).error();
  if (!kind->empty() && !kind->ends_with("List"))
    return Error{ErrorKind::kIncomplete, "the answer is not a list but a " + PrintableAscii(*kind)};
  auto metadata = ObjectAt(*json, "metadata");
  auto items = ArrayAt(*json, "items");
  if (!metadata) return std::move(metadata).error();
  if (!items) return std::move(items).error();
  // An empty list has "items": [] or null, but always a resourceVersion.
  if (*metadata == nullptr || !json->contains("items"))
    return Error{ErrorKind::kIncomplete, "the list has no metadata or no items"};
  auto version = TextAt(**metadata, "resourceVersion");
  auto token = TextAt(**metadata, "continue");
  if (!version) return std::move(version).error();
  if (!token) return std::move(token).error();
  if (version->empty()) return Error{ErrorKind::kIncomplete, "the list has no resourceVersion"};
  return Envelope{*std::move(version), *std::move(token)};
}

// A sink that puts the items into the list itself.
class KeepItemsOf final : public ItemSink {
 public:
  explicit KeepItemsOf(ObjectList& list) : list_(list) {}
  void Start() override { list_.items.clear(); }
  Status Take(const Json& item) override {
    list_.items.push_back(item);
    return Done{};
  }

 private:
  ObjectList& list_;
};

Keep ListKeep(const Keep& item) {
  return KeepFields({{"kind", {}},
                     {"metadata", KeepFields({{"resourceVersion", {}}, {"continue", {}}})},
                     {"items", KeepItems(item)}});
}

// The object of an ERROR event is a Status.
Keep EventKeep(Keep item) {
  if (item.kind == Keep::Kind::kFields)
    for (const char* key : {"code", "reason", "message", "details"})
      item.fields.push_back({key, KeepAll()});
  return KeepFields({{"type", {}}, {"object", std::move(item)}});
}

}  // namespace

Lister::Lister(HttpTransport& transport, std::string path, std::string resource,
               std::string selector, RequestObserver observer)
    : Lister(transport, std::move(path), std::move(resource), std::move(selector),
             std::move(observer), Paging()) {}

Lister::Lister(HttpTransport& transport, std::string path, std::string resource,
               std::string selector, RequestObserver observer, Paging paging)
    : transport_(transport),
      path_(std::move(path)),
      resource_(std::move(resource)),
      selector_(std::move(selector)),
      observer_(std::move(observer)),
      paging_(std::move(paging)),
      list_keep_(ListKeep(paging_.keep)),
      event_keep_(EventKeep(paging_.keep)) {}

std::string Lister::Query(const std::string& more) const {
  std::string query = path_;
  char separator = '?';
  for (const std::string* part : {&selector_, &more}) {
    if (part->empty()) continue;
    query += separator + *part;
    separator = '&';
  }
  return query;
}

std::string Lister::WatchPath(const std::string& resource_version, int timeout_seconds) const {
  return Query("watch=1&allowWatchBookmarks=true&resourceVersion=" + UrlEncoded(resource_version) +
               "&timeoutSeconds=" + std::to_string(timeout_seconds));
}

struct Lister::Page {
  Result<HttpResponse> response;
  std::optional<Envelope> envelope;  // of a 200
};

// An error is about the received data. If nothing was received, the response holds the error.
Result<Lister::Page> Lister::ReadPage(const std::string& query, const std::stop_token& stop,
                                      ItemSink& sink) const {
  std::optional<Error> wrong;
  std::optional<Envelope> envelope;
  std::size_t items = 0;
  bool began = false;
  const auto fail = [&](Error why) {
    wrong = std::move(why);
    return false;
  };
  JsonFilter filter(
      list_keep_,
      [&](std::string_view text) {
        if (envelope) return fail({ErrorKind::kIncomplete, "the answer contains two lists"});
        auto read = ReadEnvelope(text);
        if (!read) return fail(std::move(read).error());
        envelope = *std::move(read);
        return true;
      },
      [&](std::string_view text) {
        ++items;
        auto item = ParseStrict(text);
        if (!item)
          return fail(item.error().Wrap("object " + std::to_string(items) + " of the page"));
        auto taken = sink.Take(*item);
        return taken ? true : fail(std::move(taken).error());
      });
  auto response = transport_.Fetch(query, kListTimeout, stop, [&](std::string_view piece) {
    began = began || !piece.empty();
    if (filter.Feed(piece) != JsonFilter::FeedResult::kMalformed) return !wrong;
    return fail({ErrorKind::kIncomplete, "JSON: not a list, or nested too deeply"});
  });
  if (observer_) observer_("list", resource_, CodeOf(response));
  if (wrong) return *std::move(wrong);
  // The server sent a part of the answer and the rest is unknown, which is worse than no answer.
  if (!response && began && response.error().kind != ErrorKind::kCancelled)
    return Error{ErrorKind::kIncomplete, "the answer ended early: " + response.error().what};
  if (response && response->status == 200 && !envelope)
    return Error{ErrorKind::kIncomplete, "JSON: the list is cut off"};
  return Page{std::move(response), std::move(envelope)};
}

std::variant<ObjectList, ListFailure> Lister::List(const std::string& not_older_than,
                                                   const std::stop_token& stop,
                                                   ItemSink* sink) const {
  const auto failed = [&](const Error& why) {
    return ListFailure{why.Wrap("list " + resource_), {}, false};
  };
  const std::string unpaged =
      not_older_than.empty() ? "" : "resourceVersion=" + UrlEncoded(not_older_than);
  ObjectList whole;
  KeepItemsOf own(whole);
  ItemSink& into = sink == nullptr ? own : *sink;
  const std::string first = "limit=" + std::to_string(paging_.limit);
  std::string more = not_older_than.empty() || paging_.only_pages ? first : unpaged;
  std::set<std::string> continued;  // the used tokens; a repeated token would never end
  bool fell_back = false;
  int restarts = 0;
  into.Start();
  for (;;) {
    auto page = ReadPage(Query(more), stop, into);
    if (!page) return failed(page.error());
    const auto& response = page->response;
    if (!response) return failed(response.error());
    if (response->status != 200) {
      const ApiStatus status = ReadStatus(*response);
      if (status.expired() && !continued.empty() && paging_.only_pages &&
          restarts++ < kMaxRestarts) {
        into.Start();
        continued.clear();
        more = first;
        continue;
      }
      if (status.expired() && !continued.empty() && !fell_back && !paging_.only_pages) {
        into.Start();
        more = unpaged;
        fell_back = true;
        continue;
      }
      ListFailure failure = failed(status.ToError());
      failure.retry_after = status.retry_after;
      failure.version_unusable = status.expired() || status.too_large();
      return failure;
    }
    const Envelope& envelope = *page->envelope;
    // The version of the collection is the same on all pages.
    if (!fell_back && !continued.empty() && envelope.resource_version != whole.resource_version)
      return failed({ErrorKind::kIncomplete, "the pages are not from one snapshot"});
    whole.resource_version = envelope.resource_version;
    if (envelope.continue_token.empty()) return whole;
    if (fell_back)  // an unpaged list has no more pages
      return failed({ErrorKind::kIncomplete, "the unpaged list is incomplete"});
    if (!continued.insert(envelope.continue_token).second)
      return failed({ErrorKind::kIncomplete, "the server repeated a continue token"});
    if (continued.size() >= paging_.max_pages)
      return failed({ErrorKind::kIncomplete,
                     "the list has more than " + std::to_string(paging_.max_pages) + " pages"});
    more = first + "&continue=" + UrlEncoded(envelope.continue_token);
  }
}

}  // namespace imagesweep::kube
