#include "agent/kube/index/workload_index_objects.h"

#include <algorithm>
#include <cstdio>
#include <limits>

#include "agent/base/codec.h"
#include "agent/base/parse_number.h"
#include "agent/base/printable_ascii.h"
#include "agent/kube/client/lister.h"

namespace imagesweep::kube {
namespace {

constexpr const char* kLabel = "imagesweep/workload-index";
constexpr const char* kPayload = "payload";

Error Bad(const std::string& what) {
  return {ErrorKind::kIncomplete, what};
}

// Reads the texts of a ConfigMap's `data` by their keys, and remembers the first one that is wrong.
class Fields {
 public:
  explicit Fields(const Json& object) {
    if (!object.is_object()) return;
    if (const auto data = ObjectAt(object, "data"); data) data_ = *data;
  }
  std::string Text(const char* key) {
    const auto text = data_ == nullptr ? Result<std::string>(std::string()) : TextAt(*data_, key);
    if (text && !text->empty()) return *text;
    Wrong(key);
    return {};
  }
  std::uint64_t Number(const char* key) {
    const auto number = ParseNumber<std::uint64_t>(Text(key));
    if (!number) Wrong(key);
    return number.value_or(0);
  }
  char Slot() {
    const std::string slot = Text("slot");
    if (slot == "a" || slot == "b") return slot[0];
    Wrong("slot");
    return 'a';
  }
  SystemTime Time(const char* key) {
    const std::string text = Text(key);
    int year = 0;
    unsigned month = 0, day = 0, hour = 0, minute = 0, second = 0, millis = 0;
    std::sscanf(text.c_str(), "%4d-%2u-%2uT%2u:%2u:%2u.%3uZ", &year, &month, &day, &hour, &minute,
                &second, &millis);
    const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(month),
                                           std::chrono::day(day)};
    if (!date.ok()) {
      Wrong(key);
      return {};
    }
    const SystemTime time = std::chrono::sys_days(date) + std::chrono::hours(hour) +
                            std::chrono::minutes(minute) + std::chrono::seconds(second) +
                            Millis(millis);
    if (FormatTime(time) != text) Wrong(key);
    return time;
  }
  const std::string& wrong() const { return wrong_; }

 private:
  void Wrong(const char* key) {
    if (wrong_.empty()) wrong_ = std::string("field ") + key + " is missing or invalid";
  }
  const Json* data_ = nullptr;
  std::string wrong_;
};

Json Metadata(const IndexName& index, const std::string& name, const std::string& version) {
  Json metadata = {{"name", name},
                   {"namespace", index.name_space},
                   {"labels",
                    {{"app.kubernetes.io/name", "imagesweep"},
                     {"app.kubernetes.io/component", "workload-index"},
                     {"app.kubernetes.io/managed-by", "imagesweep"},
                     {kLabel, index.name}}}};
  if (!version.empty()) metadata["resourceVersion"] = version;
  return metadata;
}

}  // namespace

// The value of a label has at most 63 characters (k8s.io/apimachinery, pkg/util/validation).
Status CheckIndexName(const std::string& name) {
  const auto plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  const bool good =
      !name.empty() && name.size() <= 63 && plain(name.front()) && plain(name.back()) &&
      std::ranges::all_of(name, [&](char c) { return plain(c) || c == '-' || c == '.'; });
  if (good) return Done{};
  return Error{
      ErrorKind::kInvalid,
      "--index-name \"" + PrintableAscii(name) +
          "\" is invalid: use at most 63 lowercase letters, digits, - and ., such as imagesweep"};
}

std::string ConfigMapsPath(const IndexName& index) {
  return "/api/v1/namespaces/" + UrlEncoded(index.name_space) + "/configmaps";
}

std::string IndexSelector(const IndexName& index) {
  return "labelSelector=" + UrlEncoded(std::string(kLabel) + "=" + index.name);
}

std::string ShardName(const IndexName& index, char slot, std::uint64_t number) {
  return index.name + "-" + slot + "-" + std::to_string(number);
}

bool IsShardOf(const IndexName& index, char slot, const std::string& name) {
  return name.starts_with(index.name + "-" + slot + "-") &&
         NumberOf(name) != std::numeric_limits<std::uint64_t>::max();
}

std::uint64_t NumberOf(const std::string& shard_name) {
  constexpr auto kNone = std::numeric_limits<std::uint64_t>::max();
  const auto dash = shard_name.rfind('-');
  if (dash == std::string::npos) return kNone;
  return ParseNumber<std::uint64_t>(std::string_view(shard_name).substr(dash + 1)).value_or(kNone);
}

Json HeadObject(const IndexName& index, const IndexHead& head, const std::string& version) {
  return {{"apiVersion", "v1"},
          {"kind", "ConfigMap"},
          {"metadata", Metadata(index, index.name, version)},
          {"data",
           {{"format", std::to_string(head.format)},
            {"generation", std::to_string(head.generation)},
            {"slot", std::string(1, head.slot)},
            {"shards", std::to_string(head.shards)},
            {"references", std::to_string(head.references)},
            {"sha256", head.sha256},
            {"heartbeat", FormatTime(head.heartbeat)},
            {"holder", head.holder}}}};
}

Json ShardObject(const IndexName& index, const SlottedShard& slotted, const std::string& version) {
  const IndexShard& shard = slotted.shard;
  return {{"apiVersion", "v1"},
          {"kind", "ConfigMap"},
          {"metadata", Metadata(index, ShardName(index, slotted.slot, shard.number), version)},
          {"data",
           {{"format", std::to_string(shard.format)},
            {"generation", std::to_string(shard.generation)},
            {"slot", std::string(1, slotted.slot)},
            {"shard", std::to_string(shard.number)},
            {"shards", std::to_string(shard.count)},
            {"sha256", shard.sha256}}},
          {"binaryData", {{kPayload, ToBase64(shard.bytes)}}}};
}

Json EmptyShard(const IndexName& index, const std::string& name, const std::string& version) {
  return {
      {"apiVersion", "v1"}, {"kind", "ConfigMap"}, {"metadata", Metadata(index, name, version)}};
}

ObjectMarks ReadMarks(const Json& object) {
  ObjectMarks marks;
  const auto metadata = object.find("metadata");
  if (metadata == object.end() || !metadata->is_object()) return marks;
  for (const auto& [key, into] :
       {std::pair("labels", &marks.labels), std::pair("annotations", &marks.annotations)})
    if (const auto at = metadata->find(key); at != metadata->end() && at->is_object()) *into = *at;
  return marks;
}

void KeepMarks(const ObjectMarks& marks, Json& object) {
  Json& metadata = object["metadata"];
  metadata["labels"].update(marks.labels);
  if (!marks.annotations.empty()) metadata["annotations"] = marks.annotations;
}

// The format comes first: nothing else is known about other formats.
Result<IndexHead> ReadHead(const Json& object) {
  Fields fields(object);
  IndexHead head;
  head.format = fields.Number("format");
  if (fields.wrong().empty() && head.format != kIndexFormat)
    return Bad("it has format " + std::to_string(head.format) + ", and this version reads only " +
               std::to_string(kIndexFormat) +
               "; install the same release for the agents and the index");
  head.generation = fields.Number("generation");
  head.slot = fields.Slot();
  head.shards = fields.Number("shards");
  head.references = fields.Number("references");
  head.sha256 = fields.Text("sha256");
  head.heartbeat = fields.Time("heartbeat");
  head.holder = fields.Text("holder");
  if (!fields.wrong().empty()) return Bad(fields.wrong());
  return head;
}

Result<SlottedShard> ReadShard(const Json& object) {
  Fields fields(object);
  SlottedShard read;
  read.shard.format = fields.Number("format");
  read.shard.generation = fields.Number("generation");
  read.slot = fields.Slot();
  read.shard.number = fields.Number("shard");
  read.shard.count = fields.Number("shards");
  read.shard.sha256 = fields.Text("sha256");
  if (!fields.wrong().empty()) return Bad(fields.wrong());
  const auto binary = ObjectAt(object, "binaryData");
  if (!binary || *binary == nullptr || !(*binary)->contains(kPayload))
    return Bad("it has no payload");
  const auto text = TextAt(**binary, kPayload);
  if (!text) return text.error();
  auto bytes = FromBase64(*text);
  if (!bytes) return Bad("its payload is not base64");
  read.shard.bytes = *std::move(bytes);
  return read;
}

Result<ObjectId> ReadId(const Json& object) {
  const auto metadata =
      object.is_object() ? ObjectAt(object, "metadata") : Result<const Json*>(nullptr);
  if (!metadata || *metadata == nullptr) return Bad("a ConfigMap has no metadata");
  const auto name = TextAt(**metadata, "name");
  const auto version = TextAt(**metadata, "resourceVersion");
  if (!name || !version || name->empty() || version->empty())
    return Bad("a ConfigMap has no name or no resourceVersion");
  return ObjectId{*name, *version};
}

}  // namespace imagesweep::kube
