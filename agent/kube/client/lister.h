#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "agent/kube/client/api_status.h"
#include "agent/kube/client/http_transport.h"
#include "agent/kube/client/json_filter.h"

namespace imagesweep::kube {

// Called after every finished request, for metrics: the verb (list, watch, get), the resource
// (pods), and the status code or the kind of the error.
using RequestObserver =
    std::function<void(std::string_view verb, std::string_view resource, std::string_view code)>;

struct ObjectList {
  std::vector<Json> items;  // empty if a sink took them
  std::string resource_version;
};

// Takes the objects of a list one by one as they arrive, so that only an extract of them needs
// memory. Nothing is valid before the list is complete.
class ItemSink {
 public:
  virtual ~ItemSink() = default;
  // A list begins: discard everything that was taken before.
  virtual void Start() = 0;
  // An error fails the list.
  virtual Status Take(const Json& item) = 0;
};

struct ListFailure {
  Error error;
  std::optional<Millis> retry_after;
  // The requested version can never be served (410, or too large): list without a version.
  bool version_unusable = false;
};

// Lists one kind of object, completely or not at all. Thread-safe.
class Lister {
 public:
  struct Paging {
    int limit = 500;
    // A node has at most a thousand pods. A server whose pages never end must not exhaust the
    // memory of the agent.
    std::size_t max_pages = 100;
    // Never requests the whole list in one answer: lists are always consistent, and if the snapshot
    // expires between pages, the list starts again page by page.
    bool only_pages = false;
    Keep keep = KeepAll();  // of each object
  };
  // `path`: "/api/v1/pods"; `selector`: "fieldSelector=spec.nodeName%3Dnode1", or empty.
  Lister(HttpTransport& transport, std::string path, std::string resource, std::string selector,
         RequestObserver observer);
  Lister(HttpTransport& transport, std::string path, std::string resource, std::string selector,
         RequestObserver observer, Paging paging);

  // Returns all pages or an error. The items go to `sink` or, without one, into the list.
  //
  // If `not_older_than` is empty, the list is consistent: without a resourceVersion, the server
  // answers with the current state (from its watch cache after a freshness check). Otherwise, the
  // list is at least as new as that version. It is then unpaged, because with a limit the server
  // would require exactly that version and soon answer 410.
  //
  // If the snapshot expires between pages (410), the whole list is read once more, unpaged. The
  // continue token of a 410 is never used, because it leads to an inconsistent rest.
  std::variant<ObjectList, ListFailure> List(const std::string& not_older_than,
                                             const std::stop_token& stop,
                                             ItemSink* sink = nullptr) const;

  std::string WatchPath(const std::string& resource_version, int timeout_seconds) const;
  const std::string& resource() const { return resource_; }
  // The parts to keep of a watch event.
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

}  // namespace imagesweep::kube
