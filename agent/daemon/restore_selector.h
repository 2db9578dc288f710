#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "agent/base/result.h"
#include "agent/model/run_entry.h"
#include "agent/report/documents/restore.h"

namespace imagesweep {

// Selects the removals of a restore.
struct RestoreSelector {
  enum class Of { kLastRun, kRun, kImage };
  Of of = Of::kLastRun;
  std::string text;  // a run ID or a prefix of it; a name, a digest, or an image ID
};

// The selected entries of `removals` (newest first, as History returns them), each image once.
// Includes removals with an unknown result, because images that are still present are not restored.
// kNotFound: no removal matches; kInvalid: several runs or images match.
Result<std::vector<RemovalEntry>> ChooseRemovals(std::span<const RemovalEntry> removals,
                                                 const RestoreSelector& wish);

// Determines the sources of each image, by the evidence of its origin in the journal: a registry
// that is proved to have it, then its archive, then registries in its repo digests without proof.
// Never tries a docker.io name without proof: runtimes invent such names for images that were built
// or imported (ImageName::Parse puts docker.io before every name without a registry).
// `archive_of` returns the path of an image's archive, or empty; `archives` is the directory for
// messages.
RestoreReport PlanRestore(std::span<const RemovalEntry> removals,
                          const std::function<std::string(const std::string& id)>& archive_of,
                          const std::string& archives);

}  // namespace imagesweep
