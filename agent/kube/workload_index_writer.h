#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "agent/kube/lister.h"
#include "agent/kube/object_client.h"
#include "agent/kube/workload_index_objects.h"

namespace imagesweep::kube {

// Publishes a workload index, for its leader alone: the shards into the slot that is not in use,
// then the head.  Every write names the resourceVersion that it rests on, the head's too, so of two
// writers the slower gets a conflict, and one who dies on the way leaves the old set whole.  After
// any error what is there is read anew before the next write.  A ConfigMap that is not there is
// created; none is deleted, so that a role can name those that it may write.  Not for several
// threads at once.
class WorkloadIndexWriter {
 public:
  // Asked before every write; false ends it.
  using StillLeads = std::function<bool()>;
  struct Published {
    std::uint64_t generation = 0;
    std::size_t references = 0;
    std::size_t shards = 0;
    std::size_t bytes = 0;            // of all shards, gzipped
    std::optional<Error> leftover{};  // shards that count no more and could not be emptied
  };

  // `holder`: for people, who wrote it.
  WorkloadIndexWriter(HttpTransport& transport, IndexName index, std::string holder,
                      const RequestObserver& observer,
                      std::size_t most_shard_bytes = kMostShardBytes);

  // `references`: sorted, each once; true at `as_of` by this node's clock.  kIncomplete when
  // another wrote meanwhile or the leadership is gone.
  Result<Published> Publish(const std::vector<WorkloadReference>& references, SystemTime as_of,
                            const StillLeads& leads, const std::stop_token& stop);
  // The heartbeat: what was published last is still true at `as_of`.  kIncomplete as above, and
  // when nothing was published since Forget().
  Status Confirm(SystemTime as_of, const StillLeads& leads, const std::stop_token& stop);
  // Another may have written meanwhile.
  void Forget();

 private:
  struct Known {
    struct Object {
      std::string version;  // resourceVersion
      ObjectMarks marks;    // of others, such as Helm's: they stay
      bool filled = false;  // it holds a shard
    };
    std::map<std::string, Object> objects;  // every ConfigMap of the index, by name
    std::uint64_t generation = 0;           // the greatest
    std::optional<char> slot;               // in use
    std::optional<IndexHead> own;           // what we published
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
  const std::size_t most_shard_bytes_;
  std::uint64_t newest_ = 0;  // that we published ever
  std::optional<Known> known_;
};

}  // namespace imagesweep::kube
