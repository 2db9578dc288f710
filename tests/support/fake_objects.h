#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "agent/kube/client/lister.h"
#include "agent/kube/client/strict_json.h"
#include "tests/unit/kube/objects.h"

namespace imagesweep::kube {

// The objects of an API server for single requests: GET, LIST, POST, PUT, and DELETE with the rules
// of the resourceVersion (409 for another version than the stored one, or for a name that exists).
// It is a transport, and several clients may share the objects. Thread-safe.
class FakeObjects {
 public:
  struct Event {
    std::string type;
    Json object;
  };
  // Called before a request is processed. Returns an answer to use instead, or an error.
  using Before = std::function<std::optional<Result<HttpResponse>>(
      const std::string& method, const std::string& path, const std::string& body)>;

  // By path: "/api/v1/namespaces/sweep/configmaps/index".
  std::map<std::string, Json> objects;
  std::vector<Event> events;          // all changes since the beginning
  std::vector<std::string> requests;  // "PUT /api/…"
  std::uint64_t version = 100;

  Result<HttpResponse> Do(const std::string& method, const std::string& path_and_query,
                          const std::string& body) {
    const std::scoped_lock lock(mu_);
    const std::string path = path_and_query.substr(0, path_and_query.find('?'));
    requests.push_back(method + " " + path);
    if (method == "GET") return Get(path);
    const Json given = body.empty() ? Json::object() : Json::parse(body);
    if (method == "POST") {
      const std::string named = path + "/" + given["metadata"]["name"].get<std::string>();
      if (objects.contains(named)) return Refuse(409, "AlreadyExists");
      return Store("ADDED", named, given, 201);
    }
    const auto found = objects.find(path);
    if (found == objects.end()) return Refuse(404, "NotFound");
    const std::string stored = found->second["metadata"]["resourceVersion"];
    if (method == "PUT") {
      const std::string asked = given["metadata"].value("resourceVersion", stored);
      return asked == stored ? Store("MODIFIED", path, given, 200) : Refuse(409, "Conflict");
    }
    const std::string asked =
        given.value("preconditions", Json::object()).value("resourceVersion", stored);
    if (asked != stored) return Refuse(409, "Conflict");
    Json gone = found->second;
    gone["metadata"]["resourceVersion"] = std::to_string(++version);
    events.push_back({"DELETED", gone});
    objects.erase(found);
    return HttpResponse{200, {}, StatusJson(200, "").dump()};
  }

  // All objects below a path, as in a list.
  ObjectList List(const std::string& path) {
    const std::scoped_lock lock(mu_);
    ObjectList list{{}, std::to_string(version)};
    for (const auto& [name, object] : objects)
      if (name.starts_with(path + "/")) list.items.push_back(object);
    return list;
  }

 private:
  static Result<HttpResponse> Refuse(int code, const std::string& reason) {
    return HttpResponse{code, {}, StatusJson(code, reason).dump()};
  }
  Result<HttpResponse> Store(const char* type, const std::string& path, Json object, int code) {
    object["metadata"]["resourceVersion"] = std::to_string(++version);
    objects[path] = object;
    events.push_back({type, object});
    return HttpResponse{code, {}, object.dump()};
  }
  Result<HttpResponse> Get(const std::string& path) {
    if (const auto found = objects.find(path); found != objects.end())
      return HttpResponse{200, {}, found->second.dump()};
    std::vector<Json> items;
    for (const auto& [name, object] : objects)
      if (name.starts_with(path + "/")) items.push_back(object);
    const bool collection = path.ends_with("/configmaps") || path.ends_with("/leases");
    if (!collection) return Refuse(404, "NotFound");
    return HttpResponse{200, {}, ListJson(std::to_string(version), items)};
  }
  std::mutex mu_;
};

// One client of the objects. A test can inspect, refuse, or lose its requests.
class FakeObjectHttp final : public HttpTransport {
 public:
  explicit FakeObjectHttp(FakeObjects& server) : server_(server) {}
  FakeObjects::Before before;

  Result<HttpResponse> Get(const std::string& path, Millis, const std::stop_token&) override {
    return Do("GET", path, "");
  }
  Result<HttpResponse> Send(const HttpRequest& request, Millis, const std::stop_token&) override {
    return Do(request.method, request.path, request.body);
  }
  Result<HttpResponse> Stream(const std::string&, Millis, const std::stop_token&, const OnOpen&,
                              const OnData&) override {
    return Error{ErrorKind::kUnavailable, "it does not watch"};
  }

 private:
  Result<HttpResponse> Do(const std::string& method, const std::string& path,
                          const std::string& body) {
    if (before)
      if (auto instead = before(method, path, body)) return *std::move(instead);
    return server_.Do(method, path, body);
  }
  FakeObjects& server_;
};

}  // namespace imagesweep::kube
