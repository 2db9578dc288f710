#include "agent/runtime/store/containers_json.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>

namespace imagesweep::store {
namespace {

using layers::Unread;
using nlohmann::json;

// The fields that are read.  All others, which are most of the text, are dropped at once.
constexpr std::array<std::string_view, 7> kFields = {
    "id", "layer", "parent", "image", "mapped-layers", "metadata", "count"};

// An array of objects; `text` may be empty.
Result<json> ParseArray(std::string_view text) {
  if (text.empty()) return json::array();
  const auto keep = [](int depth, json::parse_event_t event, const json& value) {
    return event != json::parse_event_t::key || depth != 2 ||
           std::ranges::find(kFields, value.get_ref<const std::string&>()) != kFields.end();
  };
  json root = json::parse(text, keep, /*allow_exceptions=*/false);
  if (root.is_null()) return json::array();  // Go writes an empty list as null
  if (!root.is_array()) return Error{ErrorKind::kIncomplete, "not a JSON array"};
  return root;
}

// An ID, or empty if there is no such field.  Nothing: it is not well-formed.
std::optional<std::string> Id(const json& entry, const char* field) {
  const auto found = entry.is_object() ? entry.find(field) : entry.end();
  if (found == entry.end()) return std::string();
  if (!found->is_string()) return std::nullopt;
  auto id = found->get<std::string>();
  if (!id.empty() && !IsHexId(id)) return std::nullopt;
  return id;
}

std::optional<StoredImage> ImageOf(const json& entry, LayerStore& /*store*/) {
  auto id = Id(entry, "id"), layer = Id(entry, "layer");
  if (!id || id->empty() || !layer) return std::nullopt;
  StoredImage image;
  image.id = *std::move(id);
  image.top_layer = *std::move(layer);
  const auto mapped = entry.find("mapped-layers");
  if (mapped == entry.end() || mapped->is_null()) return image;
  if (!mapped->is_array()) return std::nullopt;
  for (const json& one : *mapped) {
    if (!one.is_string() || !IsHexId(one.get_ref<const std::string&>())) return std::nullopt;
    image.mapped_layers.push_back(one.get<std::string>());
  }
  return image;
}

std::optional<StoredLayer> LayerOf(const json& entry, LayerStore& /*store*/) {
  auto id = Id(entry, "id"), parent = Id(entry, "parent");
  if (!id || id->empty() || !parent) return std::nullopt;
  return StoredLayer{*std::move(id), *std::move(parent), {}};
}

// True for a container of Podman, of which the store does not tell which images it mounts.  CRI-O
// writes the pod of each container, and the CRI reports its mounts.  Buildah writes no metadata,
// and mounts images only while a build runs.  Sources: CRI-O, internal/storage/runtime.go; Podman,
// libpod/storage.go (RuntimeContainerMetadata); Buildah, new.go.
bool MayMountImages(const json& entry) {
  const auto found = entry.find("metadata");
  if (found == entry.end() || *found == "") return false;
  if (!found->is_string()) return true;
  const json metadata =
      json::parse(found->get_ref<const std::string&>(), nullptr, /*allow_exceptions=*/false);
  return !metadata.is_object() || !metadata.contains("pod-id");
}

std::optional<StoredContainer> ContainerOf(const json& entry, LayerStore& store) {
  if (entry.is_object() && MayMountImages(entry))
    store.Missed(Unread::What::kMounts,
                 "container " + Id(entry, "id").value_or("").substr(0, 12) +
                     " was made by Podman in the image store of the runtime, which does not tell "
                     "which images it mounts; remove the container, or make it in another store "
                     "(podman --root, without additionalimagestores)");
  auto id = Id(entry, "id"), image = Id(entry, "image"), layer = Id(entry, "layer");
  if (!id || id->empty() || !image || !layer) return std::nullopt;
  return StoredContainer{*std::move(id), *std::move(image), *std::move(layer)};
}

template <typename Stored>
Status AddAll(std::string_view text, std::optional<Stored> (*read)(const json&, LayerStore&),
              std::vector<Stored>& to, Unread::What what, std::string_view name,
              LayerStore& store) {
  const auto root = ParseArray(text);
  if (!root) return root.error();
  std::size_t malformed = 0;
  for (const json& entry : *root) {
    if (auto stored = read(entry, store))
      to.push_back(*std::move(stored));
    else
      ++malformed;
  }
  if (malformed == 0) return Done{};
  std::string why = std::to_string(malformed).append(" malformed entries of ").append(name);
  if (what == Unread::What::kObjects)
    store.MissedInIndex(std::move(why));
  else
    store.Missed(what, std::move(why));
  return Done{};
}

}  // namespace

Status AddImages(std::string_view text, LayerStore& store) {
  return AddAll(text, ImageOf, store.images, Unread::What::kObjects, "images", store);
}

Status AddLayers(std::string_view text, LayerStore& store) {
  return AddAll(text, LayerOf, store.layers, Unread::What::kObjects, "layers", store);
}

Status AddContainers(std::string_view text, LayerStore& store) {
  const std::size_t before = store.unread.size();
  auto status =
      AddAll(text, ContainerOf, store.containers, Unread::What::kHolders, "containers", store);
  // A container that cannot be read may mount images.
  for (std::size_t at = before, end = store.unread.size(); at < end; ++at)
    if (store.unread[at].what == Unread::What::kHolders)
      store.Missed(Unread::What::kMounts, store.unread[at].why);
  return status;
}

Status AddMounts(std::string_view text, LayerStore& store) {
  const auto root = ParseArray(text);
  if (!root) return root.error();
  for (const json& entry : *root) {
    const auto layer = Id(entry, "id");
    if (!layer || layer->empty()) {
      store.Missed(Unread::What::kMounts, "a malformed entry of mounts");
      continue;
    }
    const auto count = entry.find("count");
    if (count == entry.end() || *count != 0) store.mounted_layers.push_back(*layer);
  }
  return Done{};
}

}  // namespace imagesweep::store
