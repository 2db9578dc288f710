#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "agent/base/result.h"
#include "agent/model/run_entry.h"
#include "agent/report/restore.h"

namespace imagesweep {

// Which removals a restore is about.
struct RestoreWish {
  enum class Of { kLastRun, kRun, kImage };
  Of of = Of::kLastRun;
  std::string text;  // the run's id or its beginning; a name, a digest, or an id
};

// Those of `removals` (newest first, as History gives them) that are meant, each image once.
// Removals of which nobody knows what came of them are among them: an image that is still here is
// not restored.  kNotFound when there is none; kInvalid when it could be several runs or images.
Result<std::vector<RemovalEntry>> ChooseRemovals(std::span<const RemovalEntry> removals,
                                                 const RestoreWish& wish);

// From where each can come back, by the evidence of its origin that the journal has: a registry that
// is proved to have it, then its archive, then registries that its repo digests name without proof.
// A name of docker.io without proof is never asked for: runtimes make such names up for images that
// were built or imported (ImageName::Parse puts docker.io before every name without a registry).
// `archive_of` gives the path of an image's archive, empty when there is none; `archives` is where
// that looked, for people.
RestoreReport PlanRestore(std::span<const RemovalEntry> removals,
                          const std::function<std::string(const std::string& id)>& archive_of,
                          const std::string& archives);

}  // namespace imagesweep
