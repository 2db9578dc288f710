#include "agent/kube/workloads/workload_parser.h"

#include <algorithm>
#include <utility>

#include "agent/base/parse_number.h"
#include "agent/base/printable_ascii.h"
#include "agent/kube/client/json_filter.h"
#include "agent/kube/pods/volumes.h"

namespace imagesweep::kube {
namespace {

Error Bad(const std::string& what) {
  return {ErrorKind::kIncomplete, what};
}

std::string Trimmed(const std::string& text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

// Positive, or 0: people may write anything into annotations, and an object without a revision
// never counts as an old one.
std::int64_t Positive(const std::string& text) {
  return std::max(ParseNumber<std::int64_t>(text).value_or(0), std::int64_t{0});
}

// The string at `key`, or an empty one if it is not a string. Only for fields that do not name
// images.
std::string TextOrNone(const Json& object, const char* key) {
  if (!object.is_object()) return {};
  const auto at = object.find(key);
  return at != object.end() && at->is_string() ? at->get<std::string>() : std::string();
}

// The object or array at `key`, or an empty one.
const Json& PartOrNone(const Json& object, const char* key) {
  static const Json kNone = Json::object();
  const auto at = object.is_object() ? object.find(key) : object.end();
  return at != object.end() && at->is_structured() ? *at : kNone;
}

Status ReadContainers(const Json& spec, const char* key, std::vector<WorkloadImage>& images) {
  auto containers = ArrayAt(spec, key);
  if (!containers) return std::move(containers).error();
  if (*containers == nullptr) return Done{};
  for (const Json& container : **containers) {
    if (!container.is_object()) return Bad("a container is not an object");
    const std::string name = TextOrNone(container, "name");
    auto image = TextAt(container, "image");
    if (!image) return std::move(image).error();
    if (image->empty()) return Bad("container " + PrintableAscii(name) + " has no image");
    // A template may have " " as a placeholder for an image that something sets later
    // (openshift/origin#14659; kubernetes, pkg/apis/core/validation).
    std::string text = Trimmed(*image);
    if (text.empty()) continue;
    images.push_back({std::move(text), name});
  }
  return Done{};
}

Status ReadVolumes(const Json& spec, std::vector<WorkloadImage>& images) {
  auto volumes = ArrayAt(spec, "volumes");
  if (!volumes) return std::move(volumes).error();
  if (*volumes == nullptr) return Done{};
  for (const Json& volume : **volumes) {
    if (!volume.is_object()) return Bad("a volume is not an object");
    if (std::string text = Trimmed(CsiImage(volume)); !text.empty())
      images.push_back({std::move(text), TextOrNone(volume, "name")});
    auto image = ObjectAt(volume, "image");
    if (!image) return std::move(image).error();
    if (*image == nullptr) continue;
    auto reference = TextAt(**image, "reference");
    if (!reference) return std::move(reference).error();
    // Optional in a template, required in a pod (core/v1 ImageVolumeSource).
    std::string text = Trimmed(*reference);
    if (text.empty()) continue;
    images.push_back({std::move(text), TextOrNone(volume, "name")});
  }
  return Done{};
}

// `holder` has a pod template.
Status ReadTemplate(const Json& holder, std::vector<WorkloadImage>& images) {
  auto pod = ObjectAt(holder, "template");
  if (!pod) return std::move(pod).error();
  if (*pod == nullptr) return Bad("it has no pod template");
  auto spec = ObjectAt(**pod, "spec");
  if (!spec) return std::move(spec).error().Wrap("template");
  if (*spec == nullptr) return Bad("its pod template has no spec");
  auto containers = ArrayAt(**spec, "containers");
  if (!containers) return std::move(containers).error();
  if (*containers == nullptr || (*containers)->empty())
    return Bad("its pod template has no containers");
  for (const char* key : {"containers", "initContainers"})
    if (auto read = ReadContainers(**spec, key, images); !read) return read;
  return ReadVolumes(**spec, images);
}

Keep TemplateKeep() {
  const Keep container = KeepFields({{"name", {}}, {"image", {}}});
  const Keep volume = VolumeKeep();
  return KeepFields({{"spec", KeepFields({{"containers", container},
                                          {"initContainers", container},
                                          {"volumes", volume}})}});
}

// The object at `key`, which is required.
Result<const Json*> Required(const Json& object, const char* key) {
  auto found = ObjectAt(object, key);
  if (found && *found == nullptr) return Bad(std::string("it has no ") + key);
  return found;
}

// Collects everything in `json` that has the form of a container or an image volume.
void CollectImagesFromUnknown(const Json& json, std::vector<WorkloadImage>& images) {
  if (json.is_object()) {
    const std::string name = TextOrNone(json, "name");
    for (const auto& [key, value] : json.items()) {
      if (!IsKeyOf(key, "image")) continue;
      std::string image = Trimmed(value.is_string() ? value.get<std::string>() : std::string());
      if (!image.empty()) images.push_back({std::move(image), name});
      if (!value.is_object()) continue;
      for (const auto& [inner, reference] : value.items()) {
        if (!IsKeyOf(inner, "reference") || !reference.is_string()) continue;
        std::string text = Trimmed(reference.get<std::string>());
        if (!text.empty()) images.push_back({std::move(text), name});
      }
    }
  }
  if (json.is_structured())
    for (const Json& part : json) CollectImagesFromUnknown(part, images);
}

// An owner that cannot be read counts as none: then the object stands for itself and is kept.
void ReadOwner(const Json& metadata, WorkloadObject& out) {
  for (const Json& owner : PartOrNone(metadata, "ownerReferences")) {
    if (!owner.is_object()) continue;
    const auto controls = owner.find("controller");
    if (controls == owner.end() || !controls->is_boolean() || !controls->get<bool>()) continue;
    const std::string version = TextOrNone(owner, "apiVersion");
    const auto slash = version.find('/');
    WorkloadOwner read{slash == std::string::npos ? std::string() : version.substr(0, slash),
                       TextOrNone(owner, "kind"), TextOrNone(owner, "name"),
                       TextOrNone(owner, "uid")};
    if (!read.kind.empty() && !read.name.empty() && !read.uid.empty()) out.owner = std::move(read);
    return;  // the API server accepts only one controller
  }
}

Status ReadMetadata(const Json& object, WorkloadObject& out) {
  auto found = Required(object, "metadata");
  if (!found) return std::move(found).error();
  const Json& metadata = **found;
  const std::pair<const char*, std::string*> texts[] = {{"namespace", &out.name_space},
                                                        {"name", &out.name},
                                                        {"uid", &out.uid},
                                                        {"resourceVersion", &out.resource_version}};
  for (const auto& [key, to] : texts) {
    auto text = TextAt(metadata, key);
    if (!text) return std::move(text).error();
    *to = *std::move(text);
  }
  if (out.name.empty() || out.name_space.empty() || out.uid.empty())
    return Bad("it has no name, namespace or uid");
  const auto deleted = metadata.find("deletionTimestamp");
  out.being_deleted = deleted != metadata.end() && !deleted->is_null();
  const Json& annotations = PartOrNone(metadata, "annotations");
  // Sources: kubernetes, pkg/controller/deployment/util; Argo Rollouts, utils/annotations.
  for (const char* key : {"rollout.argoproj.io/revision", "deployment.kubernetes.io/revision"})
    if (const auto number = Positive(TextOrNone(annotations, key)); number > 0)
      out.revision = number;
  ReadOwner(metadata, out);
  return Done{};
}

// The replicas of spec or status: `absent` if the field is missing, and one if it cannot be read.
std::int64_t Replicas(const Json& holder, std::int64_t absent) {
  if (!holder.is_object()) return 1;
  const auto at = holder.find("replicas");
  if (at == holder.end() || at->is_null()) return absent;
  return at->is_number_integer() ? at->get<std::int64_t>() : 1;
}

bool Finished(const Json& object) {
  return std::ranges::any_of(PartOrNone(PartOrNone(object, "status"), "conditions"),
                             [](const Json& condition) {
                               const std::string type = TextOrNone(condition, "type");
                               return (type == "Complete" || type == "Failed") &&
                                      TextOrNone(condition, "status") == "True";
                             });
}

void ReadScale(const Json& object, const Json& spec, WorkloadObject& out) {
  const std::int64_t wanted = Replicas(spec, 1);
  out.scaled_to_zero = wanted == 0;
  const auto status = object.find("status");
  out.runs = wanted > 0 || (status != object.end() && Replicas(*status, 0) > 0);
  if (status != object.end()) out.current_revision = TextOrNone(*status, "currentRevision");
}

void ReadRevision(const Json& object, WorkloadObject& out) {
  const auto number = object.find("revision");
  if (number != object.end() && number->is_number_integer())
    out.revision = number->get<std::int64_t>();
  if (const auto data = object.find("data"); data != object.end())
    CollectImagesFromUnknown(*data, out.images);
}

Status ReadKind(const Json& object, WorkloadObject& out) {
  if (out.kind == WorkloadKind::kControllerRevision) {
    ReadRevision(object, out);
    return Done{};
  }
  const auto found = Required(object, "spec");
  if (!found) return found.error();
  const Json& spec = **found;
  if (out.kind == WorkloadKind::kCronJob) {
    const auto job = Required(spec, "jobTemplate");
    if (!job) return job.error();
    const auto job_spec = Required(**job, "spec");
    if (!job_spec) return job_spec.error().Wrap("jobTemplate");
    return ReadTemplate(**job_spec, out.images);
  }
  if (out.kind == WorkloadKind::kJob) {
    if (Finished(object)) return Done{};
  } else if (out.kind != WorkloadKind::kDaemonSet) {
    ReadScale(object, spec, out);
  }
  return ReadTemplate(spec, out.images);
}

Status Parse(const Json& object, WorkloadObject& out) {
  if (!object.is_object()) return Bad("it is not an object");
  auto kind = TextAt(object, "kind");  // absent within a list
  if (!kind) return std::move(kind).error();
  if (!kind->empty() && *kind != ResourceOf(out.kind).name)
    return Bad("its kind is " + PrintableAscii(*kind));
  if (auto read = ReadMetadata(object, out); !read) return read;
  return ReadKind(object, out);
}

}  // namespace

Keep WorkloadKeep(WorkloadKind kind) {
  const Keep owner =
      KeepFields({{"apiVersion", {}}, {"kind", {}}, {"name", {}}, {"uid", {}}, {"controller", {}}});
  const Keep revisions =
      KeepFields({{"rollout.argoproj.io/revision", {}}, {"deployment.kubernetes.io/revision", {}}});
  const Keep metadata = KeepFields({{"namespace", {}},
                                    {"name", {}},
                                    {"uid", {}},
                                    {"resourceVersion", {}},
                                    {"deletionTimestamp", {}},
                                    {"annotations", revisions},
                                    {"ownerReferences", owner}});
  if (kind == WorkloadKind::kControllerRevision)
    return KeepFields({{"kind", {}},
                       {"metadata", metadata},
                       {"revision", {}},
                       {"data", {Keep::Kind::kUnknown, {}}}});
  Keep spec = KeepFields({{"replicas", {}}, {"template", TemplateKeep()}});
  if (kind == WorkloadKind::kCronJob)
    spec = KeepFields(
        {{"jobTemplate", KeepFields({{"spec", KeepFields({{"template", TemplateKeep()}})}})}});
  const Keep condition = KeepFields({{"type", {}}, {"status", {}}});
  const Keep status =
      KeepFields({{"replicas", {}}, {"currentRevision", {}}, {"conditions", condition}});
  return KeepFields({{"kind", {}}, {"metadata", metadata}, {"spec", spec}, {"status", status}});
}

Result<WorkloadObject> ParseWorkload(WorkloadKind kind, const Json& object) {
  WorkloadObject out;
  out.kind = kind;
  if (auto parsed = Parse(object, out); !parsed)
    return parsed.error().Wrap(std::string(ResourceOf(kind).name) + " " +
                               PrintableAscii(out.name_space + "/" + out.name));
  out.images.shrink_to_fit();
  return out;
}

}  // namespace imagesweep::kube
