#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "agent/base/result.h"
#include "agent/model/workload.h"

namespace imagesweep {

// The format that this version writes and reads.
inline constexpr std::uint64_t kIndexFormat = 1;
// The maximum size of a shard: 933,336 characters in base64, so that an object with its metadata
// stays below the 1 MiB of a ConfigMap (k8s.io/kubernetes, pkg/apis/core/validation:
// MaxSecretSize).
inline constexpr std::size_t kMaxShardBytes = 700'000;

// A part of one published set.  All parts are equal except for `number` and `bytes`.
struct IndexShard {
  std::uint64_t format = kIndexFormat;
  std::uint64_t generation = 0;
  std::uint64_t number = 0;  // from 0
  std::uint64_t count = 0;   // of shards
  std::string sha256;        // of the bytes of all shards in their order
  std::string bytes;
};

// `references` must be sorted and without duplicates.  kInvalid as in WriteReferences.  Returns at
// least one shard.
Result<std::vector<IndexShard>> EncodeIndex(const std::vector<WorkloadReference>& references,
                                            std::uint64_t generation,
                                            std::size_t max_bytes = kMaxShardBytes);

// Returns the whole set from shards in any order.  kIncomplete tells which shard is missing,
// duplicate, damaged or of another generation.
Result<std::vector<WorkloadReference>> DecodeIndex(const std::vector<IndexShard>& shards);

}  // namespace imagesweep
