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

namespace imagesweep::kube {

// Told of every finished request, for metrics: verb (list, watch, get), resource (pods), and the
// status code or the kind of error.
using RequestObserver =
    std::function<void(std::string_view verb, std::string_view resource, std::string_view code)>;

struct ObjectList {
  std::vector<Json> items;
  std::string resource_version;
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
    KeySet leave_out = {};  // what stands at these keys is not in the items
    // Takes the items of each page as it comes, and the list then holds none: of many objects only
    // an extract fits into memory.  `first`: what was taken before is void, as the list begins
    // anew.  An error fails the list.
    std::function<Status(const std::vector<Json>& items, bool first)> take = {};
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
  // never used.
  std::variant<ObjectList, ListFailure> List(const std::string& not_older_than,
                                             const std::stop_token& stop) const;

  std::string WatchPath(const std::string& resource_version, int timeout_seconds) const;
  const std::string& resource() const { return resource_; }
  const KeySet& leave_out() const { return paging_.leave_out; }

 private:
  std::string Query(const std::string& more) const;

  HttpTransport& transport_;
  const std::string path_;
  const std::string resource_;
  const std::string selector_;
  const RequestObserver observer_;
  const Paging paging_;
};

// Percent-encoded for a query: "spec.nodeName=a" -> "spec.nodeName%3Da".
std::string QueryEscape(std::string_view text);

}  // namespace imagesweep::kube
