#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "agent/base/result.h"
#include "agent/model/workload.h"

namespace imagesweep {

// The one format that this version writes and reads.
inline constexpr std::uint64_t kIndexFormat = 1;
// Of one shard: 933,336 characters in base64, so that an object with all its metadata stays well
// below the 1 MiB of a ConfigMap (k8s.io/kubernetes, pkg/apis/core/validation: MaxSecretSize).
inline constexpr std::size_t kMostShardBytes = 700'000;

// A part of one published set; all parts carry the same but for `number` and `bytes`.
struct IndexShard {
  std::uint64_t format = kIndexFormat;
  std::uint64_t generation = 0;
  std::uint64_t number = 0;  // from 0
  std::uint64_t count = 0;   // of shards
  std::string sha256;        // of the bytes of all shards together, in their order
  std::string bytes;
};

// `references`: sorted, each once.  kInvalid as WriteReferences.  At least one shard.
Result<std::vector<IndexShard>> EncodeIndex(const std::vector<WorkloadReference>& references,
                                            std::uint64_t generation,
                                            std::size_t most_bytes = kMostShardBytes);

// The whole set, or kIncomplete and which shard is missing, doubled, of another generation or
// damaged.  In any order.
Result<std::vector<WorkloadReference>> DecodeIndex(const std::vector<IndexShard>& shards);

}  // namespace imagesweep
