#include "agent/kube/workload_parser.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "agent/kube/printable.h"

namespace imagesweep::kube {
namespace {

// An object of the API server has at most 1.5 MiB, and a list of a few thousand containers fits.
constexpr std::size_t kMostImages = 1000;

Error Bad(const std::string& what) {
  return {ErrorKind::kIncomplete, what};
}

std::string Trimmed(const std::string& text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

// Positive, or 0: people may write into annotations what they like, and an object without a
// revision is never the one that is thought old.
std::int64_t Positive(const std::string& text) {
  std::int64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  return error == std::errc() && rest == end && number > 0 ? number : 0;
}

Status Add(std::vector<WorkloadImage>& images, std::string text, std::string container) {
  if (images.size() >= kMostImages) return Bad("it has more than 1000 containers and volumes");
  images.push_back({std::move(text), std::move(container)});
  return Done{};
}

Status ReadContainers(const Json& spec, const char* key, std::vector<WorkloadImage>& images) {
  auto containers = ArrayAt(spec, key);
  if (!containers) return std::move(containers).error();
  if (*containers == nullptr) return Done{};
  for (const Json& container : **containers) {
    if (!container.is_object()) return Bad("a container is not an object");
    auto name = TextAt(container, "name");
    auto image = TextAt(container, "image");
    if (!name) return std::move(name).error();
    if (!image) return std::move(image).error();
    if (image->empty()) return Bad("container " + Printable(*name) + " has no image");
    // A template may say " " where something else puts the image in later (openshift/origin#14659;
    // kubernetes, pkg/apis/core/validation): no image yet.
    std::string text = Trimmed(*image);
    if (text.empty()) continue;
    if (auto added = Add(images, std::move(text), *std::move(name)); !added) return added;
  }
  return Done{};
}

Status ReadVolumes(const Json& spec, std::vector<WorkloadImage>& images) {
  auto volumes = ArrayAt(spec, "volumes");
  if (!volumes) return std::move(volumes).error();
  if (*volumes == nullptr) return Done{};
  for (const Json& volume : **volumes) {
    if (!volume.is_object()) return Bad("a volume is not an object");
    auto image = ObjectAt(volume, "image");
    auto name = TextAt(volume, "name");
    if (!image) return std::move(image).error();
    if (!name) return std::move(name).error();
    if (*image == nullptr) continue;
    auto reference = TextAt(**image, "reference");
    if (!reference) return std::move(reference).error();
    // Optional in a template, required in a pod (core/v1 ImageVolumeSource).
    std::string text = Trimmed(*reference);
    if (text.empty()) continue;
    if (auto added = Add(images, std::move(text), *std::move(name)); !added) return added;
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

// The object at `key`, which must be there.
Result<const Json*> Required(const Json& object, const char* key) {
  auto found = ObjectAt(object, key);
  if (found && *found == nullptr) return Bad(std::string("it has no ") + key);
  return found;
}

// Everything in `json` that is written as containers or image volumes are.
Status Scavenge(const Json& json, std::vector<WorkloadImage>& images) {
  const auto text = [](const Json& object, const char* key) {
    const auto at = object.find(key);
    return at != object.end() && at->is_string() ? Trimmed(at->get<std::string>()) : std::string();
  };
  if (json.is_object()) {
    std::string image = text(json, "image");
    if (image.empty() && json.contains("image") && json["image"].is_object())
      image = text(json["image"], "reference");
    if (!image.empty())
      if (auto added = Add(images, std::move(image), text(json, "name")); !added) return added;
  }
  if (json.is_structured())
    for (const Json& part : json)
      if (auto read = Scavenge(part, images); !read) return read;
  return Done{};
}

Status ReadOwner(const Json& metadata, WorkloadObject& out) {
  auto owners = ArrayAt(metadata, "ownerReferences");
  if (!owners) return std::move(owners).error();
  if (*owners == nullptr) return Done{};
  for (const Json& owner : **owners) {
    if (!owner.is_object()) return Bad("an owner is not an object");
    const auto controls = owner.find("controller");
    if (controls == owner.end() || !controls->is_boolean() || !controls->get<bool>()) continue;
    auto kind = TextAt(owner, "kind");
    auto name = TextAt(owner, "name");
    auto uid = TextAt(owner, "uid");
    for (const auto* text : {&kind, &name, &uid})
      if (!*text) return text->error().Wrap("ownerReferences");
    if (uid->empty()) return Bad("its owner has no uid");
    out.owner = WorkloadOwner{*std::move(kind), *std::move(name), *std::move(uid)};
  }
  return Done{};
}

Status ReadMetadata(const Json& object, WorkloadObject& out) {
  auto found = Required(object, "metadata");
  if (!found) return std::move(found).error();
  const Json& metadata = **found;
  const std::pair<const char*, std::string*> texts[] = {{"namespace", &out.name_space},
                                                        {"name", &out.name},
                                                        {"uid", &out.uid},
                                                        {"resourceVersion", &out.resource_version},
                                                        {"creationTimestamp", &out.created}};
  for (const auto& [key, to] : texts) {
    auto text = TextAt(metadata, key);
    if (!text) return std::move(text).error();
    *to = *std::move(text);
  }
  if (out.name.empty() || out.name_space.empty() || out.uid.empty())
    return Bad("it has no name, namespace or uid");
  auto annotations = ObjectAt(metadata, "annotations");
  if (!annotations) return std::move(annotations).error();
  if (*annotations != nullptr) {
    // Sources: kubernetes, pkg/controller/deployment/util; Argo Rollouts, utils/annotations.
    for (const char* key : {"rollout.argoproj.io/revision", "deployment.kubernetes.io/revision"}) {
      auto revision = TextAt(**annotations, key);
      if (!revision) return std::move(revision).error();
      if (const auto number = Positive(*revision); number > 0) out.revision = number;
    }
  }
  return ReadOwner(metadata, out);
}

// spec.replicas or status.replicas; empty when absent.
Result<std::optional<std::int64_t>> Replicas(const Json& holder) {
  const auto at = holder.find("replicas");
  if (at == holder.end() || at->is_null()) return std::optional<std::int64_t>();
  if (!at->is_number_integer()) return Bad("replicas is not a number");
  return std::optional(at->get<std::int64_t>());
}

Result<bool> Finished(const Json& object) {
  auto status = ObjectAt(object, "status");
  if (!status) return std::move(status).error();
  if (*status == nullptr) return false;
  auto conditions = ArrayAt(**status, "conditions");
  if (!conditions) return std::move(conditions).error();
  if (*conditions == nullptr) return false;
  return std::ranges::any_of(**conditions, [](const Json& condition) {
    if (!condition.is_object()) return false;
    const Json type = condition.value("type", Json());
    return (type == "Complete" || type == "Failed") && condition.value("status", Json()) == "True";
  });
}

Status ReadScale(const Json& object, const Json& spec, WorkloadObject& out) {
  const auto wanted = Replicas(spec);
  if (!wanted) return wanted.error();
  out.scaled_to_zero = *wanted == 0;
  auto status = ObjectAt(object, "status");
  if (!status) return std::move(status).error();
  std::optional<std::int64_t> there;
  if (*status != nullptr) {
    const auto replicas = Replicas(**status);
    if (!replicas) return replicas.error();
    there = *replicas;
    auto current = TextAt(**status, "currentRevision");
    if (!current) return std::move(current).error();
    out.current_revision = *std::move(current);
  }
  out.runs = wanted->value_or(1) > 0 || there.value_or(0) > 0;
  return Done{};
}

Status ReadRevision(const Json& object, WorkloadObject& out) {
  const auto number = object.find("revision");
  if (number == object.end() || !number->is_number_integer())
    return Bad("its revision is no number");
  out.revision = number->get<std::int64_t>();
  auto data = ObjectAt(object, "data");
  const bool known =
      !out.owner || out.owner->kind == "StatefulSet" || out.owner->kind == "DaemonSet";
  if (!data && known) return std::move(data).error();
  // Kubernetes' own hold {"spec": {"template": {…}}} (pkg/controller/history; statefulset_utils.go
  // and daemon/update.go, getPatch).
  const auto spec =
      data && *data != nullptr ? ObjectAt(**data, "spec") : Result<const Json*>(nullptr);
  const bool has_template = spec && *spec != nullptr && (*spec)->contains("template");
  if (known && out.owner && !has_template) return Bad("it has no pod template");
  if (known && has_template) return ReadTemplate(**spec, out.images);
  const auto held = object.find("data");
  return held == object.end() ? Status(Done{}) : Scavenge(*held, out.images);
}

Status ReadKind(const Json& object, WorkloadObject& out) {
  if (out.kind == WorkloadKind::kControllerRevision) return ReadRevision(object, out);
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
    const auto finished = Finished(object);
    if (!finished) return finished.error();
    if (*finished) return Done{};
  } else if (out.kind != WorkloadKind::kDaemonSet) {
    if (auto read = ReadScale(object, spec, out); !read) return read;
  }
  return ReadTemplate(spec, out.images);
}

Status Parse(const Json& object, WorkloadObject& out) {
  if (!object.is_object()) return Bad("it is not an object");
  auto kind = TextAt(object, "kind");  // absent within a list
  if (!kind) return std::move(kind).error();
  if (!kind->empty() && *kind != ResourceOf(out.kind).name)
    return Bad("it is a " + Printable(*kind));
  if (auto read = ReadMetadata(object, out); !read) return read;
  return ReadKind(object, out);
}

}  // namespace

const KeySet& WorkloadBallast() {
  static const KeySet kKeys{"managedFields",
                            "kubectl.kubernetes.io/last-applied-configuration",
                            "env",
                            "envFrom",
                            "command",
                            "args",
                            "livenessProbe",
                            "readinessProbe",
                            "startupProbe",
                            "affinity",
                            "tolerations",
                            "volumeMounts",
                            "topologySpreadConstraints"};
  return kKeys;
}

Result<WorkloadObject> ParseWorkload(WorkloadKind kind, const Json& object) {
  WorkloadObject out;
  out.kind = kind;
  if (auto parsed = Parse(object, out); !parsed)
    return parsed.error().Wrap(std::string(ResourceOf(kind).name) + " " +
                               Printable(out.name_space + "/" + out.name));
  out.images.shrink_to_fit();
  return out;
}

}  // namespace imagesweep::kube
