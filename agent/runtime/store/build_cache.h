#pragma once

#include <string>
#include <unordered_set>

#include "agent/base/result.h"
#include "agent/runtime/store/directory.h"

namespace imagesweep::store {

// The chain IDs that the build cache of Docker's own BuildKit mentions, in `root`/buildkit.  A
// layer of an image that the cache uses stays after the removal of the image.  The database is not
// parsed, only searched for digests, so a deleted record may still count: a layer that is not in
// the result is not held, and one that is may be.  Empty if there is no build cache.
//
// Errors: those of Directory; kIncomplete if the database is longer than 64 MiB.  Source: moby
// builder/builder-next/adapters/snapshot/snapshot.go: the chain ID is a value in snapshots.db.
Result<std::unordered_set<std::string>> ReadBuildCache(const Directory& root);

}  // namespace imagesweep::store
