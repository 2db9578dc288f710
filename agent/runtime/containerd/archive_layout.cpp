#include "agent/runtime/containerd/archive_layout.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "agent/model/image_name.h"
#include "agent/runtime/archive_files.h"

namespace imagesweep::containerd {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kContainerdName = "io.containerd.image.name";
constexpr const char* kOciName = "org.opencontainers.image.ref.name";

const Json& At(const Json& object, const char* key) {
  static const Json kNone;
  const auto found = object.is_object() ? object.find(key) : object.end();
  return found == object.end() ? kNone : *found;
}

std::string Text(const Json& value) {
  return value.is_string() ? value.get<std::string>() : std::string();
}

Result<Json> Parse(std::string_view text) {
  Json root = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!root.is_object()) return Error{ErrorKind::kInvalid, "not a JSON object"};
  return root;
}

Result<Descriptor> ReadDescriptor(const Json& json) {
  Descriptor read{Text(At(json, "mediaType")), Text(At(json, "digest")), 0};
  const Json& size = At(json, "size");
  if (!IsSha256(read.digest) || !size.is_number_unsigned())
    return Error{ErrorKind::kInvalid, "a descriptor has no sha256 digest or no size"};
  read.size = size.get<std::uint64_t>();
  return read;
}

Json ToJson(const Descriptor& descriptor) {
  return {{"mediaType", descriptor.media_type},
          {"digest", descriptor.digest},
          {"size", descriptor.size}};
}

}  // namespace

bool Descriptor::is_index() const {
  return media_type == "application/vnd.oci.image.index.v1+json" ||
         media_type == "application/vnd.docker.distribution.manifest.list.v2+json";
}

bool Descriptor::is_manifest() const {
  return media_type == "application/vnd.oci.image.manifest.v1+json" ||
         media_type == "application/vnd.docker.distribution.manifest.v2+json";
}

Result<Links> ParseLinks(const Descriptor& of, std::string_view text) {
  const auto root = Parse(text);
  if (!root) return root.error();
  Links links;
  if (of.is_manifest()) {
    auto config = ReadDescriptor(At(*root, "config"));
    if (!config) return config.error();
    links.config = config->digest;
    links.all.push_back(*std::move(config));
  }
  const Json& list = At(*root, of.is_manifest() ? "layers" : "manifests");
  if (!list.is_array()) return Error{ErrorKind::kInvalid, "neither an index nor a manifest"};
  for (const Json& one : list) {
    auto descriptor = ReadDescriptor(one);
    if (!descriptor) return descriptor.error();
    links.all.push_back(*std::move(descriptor));
  }
  return links;
}

std::map<std::string, std::string> Links::GcLabels() const {
  std::map<std::string, std::string> labels;
  std::map<std::string, int> counts;
  for (const Descriptor& one : all) {
    if (one.digest == config) {
      labels["containerd.io/gc.ref.content.config"] = one.digest;
      continue;
    }
    const bool document = one.is_manifest() || one.is_index();
    const std::string key = std::string("containerd.io/gc.ref.content.") + (document ? "m." : "l.");
    labels[key + std::to_string(counts[key]++)] = one.digest;
  }
  return labels;
}

std::string LayoutFile() {
  return R"({"imageLayoutVersion":"1.0.0"})";
}

Status CheckLayout(std::string_view text) {
  const auto root = Parse(text);
  if (!root) return root.error().Wrap("oci-layout");
  const std::string version = Text(At(*root, "imageLayoutVersion"));
  if (version.starts_with("1.")) return Done{};
  return Error{ErrorKind::kInvalid,
               "image layout version \"" + version + "\" is not supported, only version 1"};
}

std::string MakeIndex(std::span<const NamedImage> images) {
  Json list = Json::array();
  for (const NamedImage& image : images) {
    Json one = ToJson(image.target);
    const ImageName name = ImageName::Parse(image.name);
    one["annotations"] = {{kContainerdName, image.name}};
    if (!name.tag().empty()) one["annotations"][kOciName] = std::string(name.tag());
    list.push_back(std::move(one));
  }
  return Json({{"schemaVersion", 2},
               {"mediaType", "application/vnd.oci.image.index.v1+json"},
               {"manifests", std::move(list)}})
      .dump();
}

Result<std::vector<NamedImage>> ParseIndex(std::string_view text) {
  const auto root = Parse(text);
  if (!root) return root.error().Wrap("index.json");
  const Json& list = At(*root, "manifests");
  if (!list.is_array()) return Error{ErrorKind::kInvalid, "index.json has no manifests"};
  std::vector<NamedImage> images;
  for (const Json& one : list) {
    auto target = ReadDescriptor(one);
    if (!target) return target.error().Wrap("index.json");
    images.push_back({Text(At(At(one, "annotations"), kContainerdName)), *std::move(target)});
  }
  return images;
}

std::string BlobPath(std::string_view digest) {
  std::string path = "blobs/" + std::string(digest);
  std::ranges::replace(path, ':', '/');
  return path;
}

}  // namespace imagesweep::containerd
