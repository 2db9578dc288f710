#include "agent/kube/index/index_document.h"

#include <algorithm>

#include "agent/base/codec.h"
#include "agent/kube/index/reference_codec.h"

namespace imagesweep {
namespace {

// A set of the maximum size has fewer.  A greater count is damage.
constexpr std::uint64_t kMaxShards = 1000;

Error Bad(const std::string& what) {
  return {ErrorKind::kIncomplete, what};
}

std::string Named(std::uint64_t number, std::uint64_t count) {
  return "shard " + std::to_string(number + 1) + " of " + std::to_string(count);
}

// Returns the shards in the order of their numbers, or why they are not the shards of one set.
Result<std::vector<const IndexShard*>> InOrder(const std::vector<IndexShard>& shards) {
  if (shards.empty()) return Bad("there are no shards");
  const IndexShard& first = shards.front();
  if (first.count == 0 || first.count > kMaxShards)
    return Bad("invalid number of shards: " + std::to_string(first.count));
  std::vector<const IndexShard*> ordered(first.count, nullptr);
  for (const IndexShard& shard : shards) {
    const std::string name = Named(shard.number, shard.count);
    if (shard.format != kIndexFormat)
      return Bad(name + " has format " + std::to_string(shard.format) +
                 ", but this version reads only " + std::to_string(kIndexFormat));
    if (shard.generation != first.generation)
      return Bad("torn: " + name + " has generation " + std::to_string(shard.generation) +
                 ", another has " + std::to_string(first.generation));
    if (shard.count != first.count || shard.sha256 != first.sha256)
      return Bad("torn: " + name + " is not of the same set as the first shard");
    if (shard.number >= first.count) return Bad(name + " has an invalid number");
    if (ordered[shard.number] != nullptr) return Bad(name + " is duplicate");
    ordered[shard.number] = &shard;
  }
  const auto missing = std::ranges::find(ordered, nullptr);
  if (missing != ordered.end())
    return Bad(Named(static_cast<std::uint64_t>(missing - ordered.begin()), first.count) +
               " is missing");
  return ordered;
}

}  // namespace

Result<std::vector<IndexShard>> EncodeIndex(const std::vector<WorkloadReference>& references,
                                            std::uint64_t generation, std::size_t max_bytes) {
  const auto plain = WriteReferences(references);
  if (!plain) return plain.error();
  const auto packed = Gzip(*plain);
  if (!packed) return packed.error();
  const std::string sha256 = Sha256Hex(*packed);
  const std::uint64_t count = (packed->size() + max_bytes - 1) / max_bytes;
  if (count > kMaxShards) return Error{ErrorKind::kInvalid, "too many shards"};
  std::vector<IndexShard> shards;
  for (std::uint64_t number = 0; number < count; ++number)
    shards.push_back({kIndexFormat, generation, number, count, sha256,
                      packed->substr(number * max_bytes, max_bytes)});
  return shards;
}

Result<std::vector<WorkloadReference>> DecodeIndex(const std::vector<IndexShard>& shards) {
  const auto ordered = InOrder(shards);
  if (!ordered) return ordered.error();
  std::string packed;
  for (const IndexShard* shard : *ordered) packed += shard->bytes;
  if (Sha256Hex(packed) != shards.front().sha256)
    return Bad("the sha256 of the bytes is not the one in the shards");
  const auto plain = Gunzip(packed, kMaxReferenceBytes);
  if (!plain) return plain.error().Wrap("the set");
  auto references = ReadReferences(*plain);
  if (!references) return references.error().Wrap("the set");
  return references;
}

}  // namespace imagesweep
