#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "agent/kube/client/lister.h"
#include "agent/kube/client/object_client.h"
#include "agent/kube/index/workload_index_objects.h"

namespace imagesweep::kube {

// Publishes a workload index. Only its leader may use it. It writes the shards into the unused
// slot, and then the head. Every write names the resourceVersion that it rests on, including the
// head's. So the slower of two writers gets a conflict, and a writer that dies leaves the old set
// complete. After any error, the index is read again before the next write. A missing ConfigMap is
// created, and none is deleted, so that a role can name the ConfigMaps that it may write. Not
// thread-safe.
class WorkloadIndexWriter {
 public:
  // Called before every write. False ends the publication.
  using StillLeads = std::function<bool()>;
  struct Published {
    std::uint64_t generation = 0;
    std::size_t references = 0;
    std::size_t shards = 0;
    std::size_t bytes = 0;            // of all shards, gzipped
    std::optional<Error> leftover{};  // error of emptying shards that are no longer used
  };

  // `holder` names the writer, for people.
  WorkloadIndexWriter(HttpTransport& transport, IndexName index, std::string holder,
                      const RequestObserver& observer,
                      std::size_t max_shard_bytes = kMaxShardBytes);

  // `references` must be sorted and unique. They are current at `as_of` by the clock of this node.
  // kIncomplete if another process wrote to the index, or the leadership was lost.
  Result<Published> Publish(const std::vector<WorkloadReference>& references, SystemTime as_of,
                            const StillLeads& leads, const std::stop_token& stop);
  // Writes the heartbeat: the last published set is still current at `as_of`. kIncomplete as above,
  // and if nothing was published since Forget().
  Status Confirm(SystemTime as_of, const StillLeads& leads, const std::stop_token& stop);
  // Call this if another process may have written to the index.
  void Forget();

 private:
  struct Known {
    struct Object {
      std::string version;  // resourceVersion
      ObjectMarks marks;    // metadata of others, such as Helm's, which stays
      bool filled = false;  // it holds a shard
    };
    std::map<std::string, Object> objects;  // every ConfigMap of the index, by name
    std::uint64_t generation = 0;           // the greatest
    std::optional<char> slot;               // in use
    std::optional<IndexHead> own;           // the last published head of this process
  };
  Status Learn(const std::stop_token& stop);
  Result<Published> WriteSet(const std::vector<WorkloadReference>& references, SystemTime as_of,
                             const StillLeads& leads, const std::stop_token& stop);
  Status Write(const std::string& name, const std::function<Json(const std::string&)>& object,
               const StillLeads& leads, const std::stop_token& stop);
  Status WriteHead(const IndexHead& head, const StillLeads& leads, const std::stop_token& stop);
  std::optional<Error> EmptyLeftovers(const IndexHead& head, const StillLeads& leads,
                                      const std::stop_token& stop);

  const ObjectClient client_;
  const Lister lister_;
  const IndexName index_;
  const std::string holder_;
  const std::size_t max_shard_bytes_;
  std::uint64_t newest_ = 0;  // the greatest generation that this process published
  std::optional<Known> known_;
};

}  // namespace imagesweep::kube
