#pragma once

#include <cstdint>
#include <string>

#include "agent/base/clock.h"
#include "agent/kube/client/strict_json.h"
#include "agent/kube/index/index_document.h"

// The objects of the workload index on the API server: ConfigMaps with one label. Two slots, a and
// b, hold shards: one slot holds the published set, and the next set is written to the other. A
// head names the published slot. It is written last, so the old set stays complete until then.

namespace imagesweep::kube {

struct IndexName {
  std::string name_space;
  std::string name;  // of the head, value of the label, and prefix of the shards' names
  std::string display() const { return name_space + "/" + name; }
};

struct IndexHead {
  std::uint64_t format = kIndexFormat;
  std::uint64_t generation = 0;  // increases with every published set
  char slot = 'a';
  std::uint64_t shards = 0;
  std::uint64_t references = 0;
  std::string sha256;    // as of the shards
  SystemTime heartbeat;  // when the leader last knew that this set is current, by its clock
  std::string holder;    // the writer

  bool SameSet(const IndexHead& other) const {
    return generation == other.generation && slot == other.slot && sha256 == other.sha256;
  }
};

struct SlottedShard {
  char slot = 'a';
  IndexShard shard;
};

// kInvalid if the name cannot be the name of a ConfigMap and the value of a label.
Status CheckIndexName(const std::string& name);

std::string ConfigMapsPath(const IndexName& index);
// The query that selects the ConfigMaps of the index.
std::string IndexSelector(const IndexName& index);
std::string ShardName(const IndexName& index, char slot, std::uint64_t number);
bool IsShardOf(const IndexName& index, char slot, const std::string& name);
// The number in the name of a shard, or the maximum if it has none.
std::uint64_t NumberOf(const std::string& shard_name);

// The objects to write. An empty `version` creates the object.
Json HeadObject(const IndexName& index, const IndexHead& head, const std::string& version);
Json ShardObject(const IndexName& index, const SlottedShard& slotted, const std::string& version);
// A ConfigMap that holds no shard.
Json EmptyShard(const IndexName& index, const std::string& name, const std::string& version);

// kIncomplete for anything that the functions above do not write.
Result<IndexHead> ReadHead(const Json& object);
Result<SlottedShard> ReadShard(const Json& object);
// metadata.name and metadata.resourceVersion of any ConfigMap.
struct ObjectId {
  std::string name;
  std::string version;
};
Result<ObjectId> ReadId(const Json& object);
// Metadata that others wrote. An update must keep it, because it replaces the whole object.
struct ObjectMarks {
  Json labels = Json::object();
  Json annotations = Json::object();
};
ObjectMarks ReadMarks(const Json& object);
void KeepMarks(const ObjectMarks& marks, Json& object);

}  // namespace imagesweep::kube
