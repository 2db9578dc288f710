#pragma once

#include <string>
#include <vector>

#include "agent/kube/workloads/workload_parser.h"
#include "tests/unit/kube/objects.h"

namespace imagesweep::kube {

inline Json MetaJson(const std::string& name, const std::string& version = "1") {
  return {{"name", name},
          {"namespace", "shop"},
          {"uid", "uid-" + name},
          {"resourceVersion", version},
          {"creationTimestamp", "2026-01-01T00:00:00Z"}};
}

inline Json TemplateJson(const std::string& image) {
  return {{"spec", {{"containers", {{{"name", "main"}, {"image", image}}}}}}};
}

// A Deployment, StatefulSet, DaemonSet, ReplicaSet, or Job, as in a list (without a kind).
inline Json WorkloadJson(const std::string& name, const std::string& image, int replicas = 1) {
  return {{"metadata", MetaJson(name)},
          {"spec", {{"replicas", replicas}, {"template", TemplateJson(image)}}}};
}

inline Json CronJobJson(const std::string& name, const std::string& image) {
  return {{"metadata", MetaJson(name)},
          {"spec",
           {{"suspend", true}, {"jobTemplate", {{"spec", {{"template", TemplateJson(image)}}}}}}}};
}

inline Json RevisionJson(const std::string& name, const std::string& image, int revision) {
  return {{"metadata", MetaJson(name)},
          {"revision", revision},
          {"data", {{"spec", {{"template", TemplateJson(image)}}}}}};
}

inline Json OwnedBy(Json object, const std::string& kind, const std::string& name,
                    std::string api_version = "") {
  if (api_version.empty()) {
    const bool apps = kind == "Deployment" || kind == "StatefulSet" || kind == "DaemonSet";
    api_version = apps ? "apps/v1" : kind == "CronJob" ? "batch/v1" : "example.io/v1";
  }
  object["metadata"]["ownerReferences"] = {
      {{"apiVersion", "v1"}, {"kind", "Other"}, {"name", "o"}, {"uid", "uid-o"}},
      {{"apiVersion", api_version},
       {"kind", kind},
       {"name", name},
       {"uid", "uid-" + name},
       {"controller", true}}};
  return object;
}

inline Json WithRevision(Json object, const std::string& revision) {
  object["metadata"]["annotations"]["deployment.kubernetes.io/revision"] = revision;
  return object;
}

}  // namespace imagesweep::kube
