#include "agent/kube/lister.h"

#include <cstdio>
#include <set>
#include <utility>

#include "agent/kube/printable.h"

namespace imagesweep::kube {
namespace {

constexpr Millis kListTimeout = std::chrono::seconds(30);
// A snapshot lives five minutes by default, so one that expires twice will expire again.
constexpr int kMostRestarts = 2;

struct Page {
  ObjectList list;
  std::string continue_token;
};

Result<Page> ReadPage(const std::string& body, const KeySet& leave_out) {
  auto json = ParseStrict(body, leave_out);
  if (!json) return std::move(json).error();
  if (!json->is_object()) return Error{ErrorKind::kIncomplete, "the list is not an object"};
  auto kind = TextAt(*json, "kind");
  if (!kind) return std::move(kind).error();
  if (!kind->empty() && !kind->ends_with("List"))
    return Error{ErrorKind::kIncomplete, "not a list but a " + Printable(*kind)};
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
  Page page{{{}, *std::move(version)}, *std::move(token)};
  if (*items != nullptr) page.list.items.assign((*items)->begin(), (*items)->end());
  return page;
}

}  // namespace

std::string QueryEscape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || c == '.' || c == '~';
    if (plain) {
      out += c;
      continue;
    }
    char escaped[4];
    std::snprintf(escaped, sizeof escaped, "%%%02X",
                  static_cast<unsigned>(static_cast<unsigned char>(c)));
    out += escaped;
  }
  return out;
}

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
      paging_(std::move(paging)) {}

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
  return Query("watch=1&allowWatchBookmarks=true&resourceVersion=" + QueryEscape(resource_version) +
               "&timeoutSeconds=" + std::to_string(timeout_seconds));
}

std::variant<ObjectList, ListFailure> Lister::List(const std::string& not_older_than,
                                                   const std::stop_token& stop) const {
  const auto failed = [&](const Error& why) {
    return ListFailure{why.Wrap("list " + resource_), {}, false};
  };
  const std::string unpaged =
      not_older_than.empty() ? "" : "resourceVersion=" + QueryEscape(not_older_than);
  ObjectList whole;
  const std::string first = "limit=" + std::to_string(paging_.limit);
  std::string more = not_older_than.empty() || paging_.only_pages ? first : unpaged;
  std::set<std::string> continued;  // from where; a token that comes twice would never end
  bool fell_back = false;
  int restarts = 0;
  for (;;) {
    const auto response = transport_.Get(Query(more), kListTimeout, stop);
    if (observer_) observer_("list", resource_, CodeOf(response));
    if (!response) return failed(response.error());
    if (response->status != 200) {
      const ApiStatus status = ReadStatus(*response);
      if (status.expired() && !continued.empty() && paging_.only_pages &&
          restarts++ < kMostRestarts) {
        whole.items.clear();
        continued.clear();
        more = first;
        continue;
      }
      if (status.expired() && !continued.empty() && !fell_back && !paging_.only_pages) {
        whole.items.clear();
        more = unpaged;
        fell_back = true;
        continue;
      }
      ListFailure failure = failed(status.ToError());
      failure.retry_after = status.retry_after;
      failure.version_unusable = status.expired() || status.too_large();
      return failure;
    }
    auto page = ReadPage(response->body, paging_.leave_out);
    if (!page) return failed(page.error());
    // The collection's version stays the same from page to page.
    if (!fell_back && !continued.empty() && page->list.resource_version != whole.resource_version)
      return failed({ErrorKind::kIncomplete, "its pages are not of one snapshot"});
    if (paging_.take) {
      if (auto taken = paging_.take(page->list.items, continued.empty()); !taken)
        return failed(taken.error());
    } else {
      std::move(page->list.items.begin(), page->list.items.end(), std::back_inserter(whole.items));
    }
    whole.resource_version = page->list.resource_version;
    if (page->continue_token.empty()) return whole;
    if (fell_back)  // an unpaged list has no more pages
      return failed({ErrorKind::kIncomplete, "an unpaged list came in part"});
    if (!continued.insert(page->continue_token).second)
      return failed({ErrorKind::kIncomplete, "the pages go in a circle"});
    if (continued.size() >= paging_.most_pages)
      return failed({ErrorKind::kIncomplete,
                     "it has more than " + std::to_string(paging_.most_pages) + " pages"});
    more = first + "&continue=" + QueryEscape(page->continue_token);
  }
}

}  // namespace imagesweep::kube
