#include "agent/kube/lister.h"

#include <cstdio>
#include <utility>

namespace imagesweep::kube {
namespace {

constexpr Millis kListTimeout = std::chrono::seconds(30);
constexpr const char* kPage = "limit=500";

struct Page {
  ObjectList list;
  std::string continue_token;
};

Result<Page> ReadPage(const std::string& body) {
  auto json = ParseStrict(body);
  if (!json) return std::move(json).error();
  if (!json->is_object()) return Error{ErrorKind::kIncomplete, "the list is not an object"};
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
    : transport_(transport),
      path_(std::move(path)),
      resource_(std::move(resource)),
      selector_(std::move(selector)),
      observer_(std::move(observer)) {}

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

std::variant<ObjectList, ListFailure> Lister::List(const std::stop_token& stop) const {
  ObjectList whole;
  std::string more = kPage;
  bool first = true;
  for (;;) {
    const auto response = transport_.Get(Query(more), kListTimeout, stop);
    if (observer_)
      observer_("list", resource_,
                response ? std::to_string(response->status)
                         : std::string(ToString(response.error().kind)));
    if (!response) return ListFailure{response.error().Wrap("list " + resource_), {}};
    if (response->status != 200) {
      const ApiStatus status = ReadStatus(*response);
      if (status.expired() && !first && !more.empty()) {
        whole.items.clear();
        more.clear();
        continue;
      }
      return ListFailure{status.ToError().Wrap("list " + resource_), status.retry_after};
    }
    auto page = ReadPage(response->body);
    if (!page) return ListFailure{page.error().Wrap("list " + resource_), {}};
    std::move(page->list.items.begin(), page->list.items.end(), std::back_inserter(whole.items));
    whole.resource_version = page->list.resource_version;
    if (page->continue_token.empty()) return whole;
    if (more.empty())  // an unpaged list has no more pages
      return ListFailure{
          {ErrorKind::kIncomplete, "list " + resource_ + ": an unpaged list came in part"}, {}};
    more = std::string(kPage) + "&continue=" + QueryEscape(page->continue_token);
    first = false;
  }
}

}  // namespace imagesweep::kube
