#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "agent/kube/api_status.h"
#include "agent/kube/http_transport.h"
#include "agent/kube/json_filter.h"

namespace imagesweep::kube {

// Told of every finished request, for metrics: verb (list, watch, get), resource (pods), and the
// status code or the kind of error.
using RequestObserver =
    std::function<void(std::string_view verb, std::string_view resource, std::string_view code)>;

struct ObjectList {
  std::vector<Json> items;  // none when a sink took them
  std::string resource_version;
};

// Takes the objects of a list one by one as they come, so that only an extract of them need fit
// into memory.  Nothing of them counts before the list is whole.
class ItemSink {
 public:
  virtual ~ItemSink() = default;
  // A list begins: what was taken before is void.
  virtual void Start() = 0;
  // An error fails the list.
  virtual Status Take(const Json& item) = 0;
};

struct ListFailure {
  Error error;
  std::optional<Millis> retry_after;
  // The version asked for cannot be served, now or ever (410, or too large): ask without one.
  bool version_unusable = false;
};

// Lists one kind of object, whole or not at all.  Any thread.
class Lister {
 public:
  struct Paging {
    int limit = 500;
    // A node holds a thousand pods at most; a server whose pages never end must not take its
    // memory.
    std::size_t most_pages = 100;
    // Never the whole in one answer: lists are always consistent ones, and when the snapshot
    // expires between pages the list begins anew, page by page.
    bool only_pages = false;
    Keep keep = KeepAll();  // of each object
  };
  // `path`: "/api/v1/pods"; `selector`: "fieldSelector=spec.nodeName%3Dnode1", or empty.
  Lister(HttpTransport& transport, std::string path, std::string resource, std::string selector,
         RequestObserver observer);
  Lister(HttpTransport& transport, std::string path, std::string resource, std::string selector,
         RequestObserver observer, Paging paging);

  // Consistently when `not_older_than` is empty: without a resourceVersion the server answers with
  // what is true now (from its watch cache after a freshness check).  Else, for a reflector, with
  // something at least as new; unpaged then, because with a limit the server would take the version
  // for an exact one and answer 410 soon.
  // All pages or an error.  When the snapshot expires between pages (410), the whole is read once
  // more unpaged; the continue token that comes with a 410 leads to an inconsistent rest and is
  // never used.  The items go to `sink`, or into the list without one.
  std::variant<ObjectList, ListFailure> List(const std::string& not_older_than,
                                             const std::stop_token& stop,
                                             ItemSink* sink = nullptr) const;

  std::string WatchPath(const std::string& resource_version, int timeout_seconds) const;
  const std::string& resource() const { return resource_; }
  // What to keep of an event of a watch.
  const Keep& event_keep() const { return event_keep_; }

 private:
  struct Page;
  Result<Page> ReadPage(const std::string& query, const std::stop_token& stop,
                        ItemSink& sink) const;
  std::string Query(const std::string& more) const;

  HttpTransport& transport_;
  const std::string path_;
  const std::string resource_;
  const std::string selector_;
  const RequestObserver observer_;
  const Paging paging_;
  const Keep list_keep_;
  const Keep event_keep_;
};

// Percent-encoded for a query: "spec.nodeName=a" -> "spec.nodeName%3Da".
std::string QueryEscape(std::string_view text);

}  // namespace imagesweep::kube
