#pragma once

#include <cstdint>
#include <string>

#include "agent/base/clock.h"
#include "agent/kube/strict_json.h"
#include "agent/workloads/index.h"

// The workload index as it lies on the API server, in ConfigMaps with one label: the shards of two
// slots, a and b, of which one holds the published set and the other is written next; and a head
// that says which.  The head is written last, so until then the old set is whole.

namespace imagesweep::kube {

struct IndexName {
  std::string name_space;
  std::string name;  // of the head, the label's value, and the beginning of the shards' names
  std::string display() const { return name_space + "/" + name; }
};

struct IndexHead {
  std::uint64_t format = kIndexFormat;
  std::uint64_t generation = 0;  // grows with every published set
  char slot = 'a';
  std::uint64_t shards = 0;
  std::uint64_t references = 0;
  std::string sha256;    // as of the shards
  SystemTime heartbeat;  // when the leader last knew that this set is true, by its clock
  std::string holder;    // who wrote it

  bool SameSet(const IndexHead& other) const {
    return generation == other.generation && slot == other.slot && sha256 == other.sha256;
  }
};

struct SlottedShard {
  char slot = 'a';
  IndexShard shard;
};

// kInvalid when it cannot be the name of a ConfigMap and a label's value.
Status CheckIndexName(const std::string& name);

std::string ConfigMapsPath(const IndexName& index);
// The query that selects them.
std::string IndexSelector(const IndexName& index);
std::string ShardName(const IndexName& index, char slot, std::uint64_t number);
bool IsShardOf(const IndexName& index, char slot, const std::string& name);
// The number in such a name, or the greatest when it has none.
std::uint64_t NumberOf(const std::string& shard_name);

// As they are written; an empty `version` is an object that is not there yet.
Json HeadObject(const IndexName& index, const IndexHead& head, const std::string& version);
Json ShardObject(const IndexName& index, const SlottedShard& slotted, const std::string& version);
// A ConfigMap that holds no shard any more, or none yet.
Json EmptyShard(const IndexName& index, const std::string& name, const std::string& version);

// kIncomplete for anything else than these write.
Result<IndexHead> ReadHead(const Json& object);
Result<SlottedShard> ReadShard(const Json& object);
// metadata.name and metadata.resourceVersion of any ConfigMap.
struct ObjectId {
  std::string name;
  std::string version;
};
Result<ObjectId> ReadId(const Json& object);
// What others wrote into metadata, to be kept by an update: it replaces the whole object.
struct ObjectMarks {
  Json labels = Json::object();
  Json annotations = Json::object();
};
ObjectMarks ReadMarks(const Json& object);
void KeepMarks(const ObjectMarks& marks, Json& object);

}  // namespace imagesweep::kube
