#pragma once

#include <string>
#include <vector>

#include "agent/kube/client/strict_json.h"
#include "tests/support/scripted_http.h"

namespace imagesweep::kube {

// A running pod with one container, as in a list (without a kind).
inline Json PodJson(const std::string& name, const std::string& image,
                    const std::string& version = "1") {
  return {{"metadata",
           {{"name", name},
            {"namespace", "shop"},
            {"uid", "uid-" + name},
            {"resourceVersion", version}}},
          {"spec", {{"containers", {{{"name", "main"}, {"image", image}}}}}},
          {"status", {{"phase", "Running"}}}};
}

inline std::string ListJson(const std::string& version, const std::vector<Json>& items,
                            const std::string& token = "") {
  return Json{{"kind", "PodList"},
              {"apiVersion", "v1"},
              {"metadata", {{"resourceVersion", version}, {"continue", token}}},
              {"items", items}}
      .dump();
}

inline std::string EventJson(const std::string& type, Json object) {
  if (!object.contains("kind")) object["kind"] = "Pod";
  return Json{{"type", type}, {"object", std::move(object)}}.dump() + "\n";
}

inline std::string Bookmark(const std::string& version) {
  return EventJson("BOOKMARK", {{"metadata", {{"resourceVersion", version}}}});
}

inline Json StatusJson(int code, const std::string& reason, const std::string& message = "told") {
  return {{"kind", "Status"}, {"apiVersion", "v1"}, {"code", code},
          {"reason", reason}, {"message", message}, {"status", "Failure"}};
}

inline std::string NodeJson() {
  return R"({"kind":"Node","metadata":{"name":"node1","uid":"node-uid"}})";
}

// The steps of a script.
inline Step ListStep(const std::string& version, const std::vector<Json>& items = {},
                     const std::string& token = "") {
  Step step;
  step.body = ListJson(version, items, token);
  return step;
}

inline Step WatchStep(std::vector<std::string> pieces = {},
                      Millis lasts = std::chrono::minutes(5)) {
  Step step;
  step.pieces = std::move(pieces);
  step.lasts = lasts;
  return step;
}

inline Step RefuseStep(int code, const std::string& reason, const std::string& message = "told") {
  Step step;
  step.status = code;
  step.body = StatusJson(code, reason, message).dump();
  return step;
}

inline Step BreakStep(const std::string& why = "connection refused") {
  Step step;
  step.error = Error{ErrorKind::kUnavailable, why};
  return step;
}

inline Step Throttled(Millis retry_after) {
  Step step = RefuseStep(429, "TooManyRequests");
  step.retry_after = retry_after;
  return step;
}

}  // namespace imagesweep::kube
