#include "agent/runtime/docker/engine.h"

#include <algorithm>
#include <initializer_list>
#include <utility>

#include "agent/base/printable_ascii.h"
#include "agent/runtime/docker/json.h"

namespace imagesweep::docker {

namespace {

// The members of the objects of a list, and everything below these members.
KeepMember OfEntries(std::initializer_list<std::string_view> wanted) {
  return [wanted = std::vector<std::string_view>(wanted)](int depth, const std::string& key) {
    constexpr int kOfEntry = 2;
    return depth != kOfEntry || std::find(wanted.begin(), wanted.end(), key) != wanted.end();
  };
}

Result<Json> ParseList(std::string_view text, const KeepMember& keep) {
  auto list = ParseJson(text, keep);
  if (list && !list->is_array()) return Error{ErrorKind::kIncomplete, "not a list"};
  return list;
}

// Names without the placeholders of images without a name: "<none>:<none>", "<none>@<none>".
std::vector<std::string> WithoutNone(std::vector<std::string> names) {
  std::erase_if(names, [](std::string_view name) {
    return name.starts_with("<none>") || name.ends_with(":<none>") || name.ends_with("@<none>");
  });
  return names;
}

Error InEntry(const Fields& fields, const std::string& id, const char* kind) {
  const std::string which = id.empty() ? "" : " " + PrintableAscii(id);
  return fields.error().Wrap(kind + which);
}

bool IsLabelToKeep(const std::string& key) {
  return key.starts_with("io.kubernetes.") || key.starts_with("com.docker.compose.");
}

// Docker can run a container without an image.
bool IsEmptyText(const Json& entry, const char* key) {
  if (!entry.is_object()) return false;
  const auto found = entry.find(key);
  return found != entry.end() && found->is_string() && found->get_ref<const std::string&>().empty();
}

}  // namespace

Result<EngineInfo> ParseInfo(std::string_view version_json, std::string_view info_json) {
  const auto version = ParseJson(version_json);
  if (!version) return version.error().Wrap("/version");
  const auto info = ParseJson(info_json);
  if (!info) return info.error().Wrap("/info");

  EngineInfo engine;
  Fields of_version(*version);
  engine.version = of_version.NeededText("Version");
  if (!of_version.ok()) return of_version.error().Wrap("/version");

  Fields fields(*info);
  engine.id = fields.NeededText("ID");
  engine.driver = fields.NeededText("Driver");
  engine.root = fields.NeededText("DockerRootDir");
  // Source: moby, daemon/containerd/service.go.
  static const Json kContainerdStore = {"driver-type", "io.containerd.snapshotter.v1"};
  const Json& status = fields.Array("DriverStatus");
  engine.containerd_store =
      std::find(status.begin(), status.end(), kContainerdStore) != status.end();
  Fields containerd(fields.Object("Containerd"));
  engine.containerd_address = containerd.Text("Address");
  Fields namespaces(containerd.Object("Namespaces"));
  engine.containerd_namespace = namespaces.Text("Containers");
  Fields swarm(fields.Object("Swarm"));
  const std::string state = swarm.Text("LocalNodeState");
  engine.swarm = !state.empty() && state != "inactive";
  for (const Fields* part : {&containerd, &namespaces, &swarm}) fields.Check(*part);
  if (!fields.ok()) return fields.error().Wrap("/info");
  return engine;
}

Result<std::vector<ListedImage>> ParseImages(std::string_view json) {
  const auto list =
      ParseList(json, OfEntries({"Id", "RepoTags", "RepoDigests", "Size", "SharedSize", "Labels"}));
  if (!list) return list.error();
  std::vector<ListedImage> images;
  images.reserve(list->size());
  for (const Json& entry : *list) {
    Fields fields(entry);
    ListedImage image;
    image.id = fields.NeededText("Id");
    image.tags = WithoutNone(fields.Texts("RepoTags"));
    image.digests = WithoutNone(fields.Texts("RepoDigests"));
    image.size = fields.NeededSize("Size");
    if (const auto shared = fields.Number("SharedSize", -1); shared >= 0) {
      image.shared_size = static_cast<std::uint64_t>(shared);
    }
    image.labels = fields.TextsByKey("Labels");
    if (!fields.ok()) return InEntry(fields, image.id, "image");
    images.push_back(std::move(image));
  }
  return images;
}

Result<std::vector<ListedContainer>> ParseContainers(std::string_view json) {
  const auto of_entry = OfEntries({"Id", "Names", "Image", "ImageID", "State", "Labels", "Mounts"});
  const auto list = ParseList(json, [&](int depth, const std::string& key) {
    constexpr int kOfLabels = 3;
    return depth == kOfLabels ? IsLabelToKeep(key) : of_entry(depth, key);
  });
  if (!list) return list.error();
  std::vector<ListedContainer> containers;
  containers.reserve(list->size());
  for (const Json& entry : *list) {
    Fields fields(entry);
    ListedContainer container;
    container.id = fields.NeededText("Id");
    // A name with more slashes is that of a link in another container.
    for (const std::string& name : fields.Texts("Names")) {
      if (container.name.empty() && name.rfind('/') == 0) container.name = name.substr(1);
    }
    container.image = fields.Text("Image");
    const bool imageless = IsEmptyText(entry, "Image") && IsEmptyText(entry, "ImageID");
    if (!imageless) container.image_id = fields.NeededText("ImageID");
    container.state = fields.NeededText("State");
    container.labels = fields.TextsByKey("Labels");
    for (const Json& mount : fields.Array("Mounts")) {
      Fields of_mount(mount);
      if (of_mount.Text("Type") == "image") {
        container.mounted_images.push_back(of_mount.NeededText("Name"));
      }
      fields.Check(of_mount);
    }
    if (!fields.ok()) return InEntry(fields, container.id, "container");
    containers.push_back(std::move(container));
  }
  return containers;
}

Result<InspectedImage> ParseImage(std::string_view json) {
  const auto root = ParseJson(json);
  if (!root) return root.error();
  Fields fields(*root);
  InspectedImage image;
  image.id = fields.NeededText("Id");
  image.tags = WithoutNone(fields.Texts("RepoTags"));
  image.digests = WithoutNone(fields.Texts("RepoDigests"));
  Fields layers(fields.Object("RootFS")), config(fields.Object("Config")),
      metadata(fields.Object("Metadata"));
  image.last_tag_time = metadata.Text("LastTagTime");
  if (image.last_tag_time.starts_with("0001-01-01")) image.last_tag_time.clear();  // Go's zero time
  image.diff_ids = layers.Texts("Layers");
  image.labels = config.TextsByKey("Labels");
  Fields identity(fields.Object("Identity"));
  for (const Json& entry : identity.Array("Pull")) {
    Fields pull(entry);
    image.pulled_from.push_back(pull.NeededText("Repository"));
    fields.Check(pull);
  }
  image.built_here = !identity.Array("Build").empty();
  for (const Fields* part : {&layers, &config, &metadata, &identity}) fields.Check(*part);
  if (!fields.ok()) return InEntry(fields, image.id, "image");
  return image;
}

Result<std::vector<std::string>> ParseHistory(std::string_view json) {
  const auto list = ParseList(json, OfEntries({"CreatedBy"}));
  if (!list) return list.error();
  std::vector<std::string> steps;
  for (const Json& entry : *list) {
    Fields fields(entry);
    steps.push_back(fields.Text("CreatedBy"));
    if (!fields.ok()) return fields.error().Wrap("history");
  }
  std::ranges::reverse(steps);
  return steps;
}

Result<EngineEvent> ParseEvent(std::string_view line) {
  const auto root = ParseJson(line);
  if (!root) return root.error().Wrap("event");
  using Kind = EngineEvent::Kind;
  Fields fields(*root), actor(fields.Object("Actor")), attributes(actor.Object("Attributes"));
  const std::string type = fields.NeededText("Type"), action = fields.NeededText("Action");
  EngineEvent event;
  event.time_nano = fields.Number("timeNano", 0);
  if (type == "container") {
    if (action == "create") event.kind = Kind::kContainerCreated;
    if (action == "start") event.kind = Kind::kContainerStarted;
  } else if (type == "image") {
    if (action == "pull") event.kind = Kind::kImagePulled;
    if (action == "load" || action == "import" || action == "create")
      event.kind = Kind::kImageLoaded;
    if (action == "tag") event.kind = Kind::kImageTagged;
  }
  if (event.kind != Kind::kOther) {
    event.id = actor.NeededText("ID");
    if (type == "container") {
      event.image = attributes.NeededText("image");
    } else {
      // The ID of a pull is the complete reference, and its name has no tag.
      if (event.kind != Kind::kImagePulled) event.image = attributes.Text("name");
      if (event.image.empty()) event.image = event.id;
    }
  }
  for (const Fields* part : {&actor, &attributes}) fields.Check(*part);
  if (!fields.ok()) return fields.error().Wrap("event");
  return event;
}

std::string ErrorOfProgress(std::string_view stream) {
  std::string last;
  while (!stream.empty()) {
    const std::string_view line = stream.substr(0, stream.find('\n'));
    stream.remove_prefix(std::min(stream.size(), line.size() + 1));
    const auto message = ParseJson(line);
    if (!message || !message->is_object()) continue;
    Fields fields(*message), detail(fields.Object("errorDetail"));
    std::string text = detail.Text("message");
    if (text.empty()) text = fields.Text("error");
    if (text.empty() && (message->contains("error") || message->contains("errorDetail"))) {
      text = "an error without a message";
    }
    if (!text.empty()) last = PrintableAscii(text);
  }
  return last;
}

}  // namespace imagesweep::docker
