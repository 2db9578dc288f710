#pragma once

#include <cstdint>
#include <stop_token>
#include <string_view>

#include "agent/base/result.h"
#include "agent/imagestore/graph/metadata_snapshot.h"
#include "agent/runtime/store/directory.h"

namespace imagesweep::store {

// The space that the deletion of a tree frees.
struct TreeUsage {
  layers::Usage usage;  // whole blocks and inodes, also of directories and symbolic links
  // Files that also have a name outside of the tree.  They are not in `usage`.
  std::uint64_t linked_outside = 0;
};

// Measures the file, link or directory `name` in `parent`, and everything below it, by lstat(2).  A
// file with several names counts once, and not at all if a name is outside.  A mount point counts
// as one block: what is mounted there is another file system, and what it hides is not to be seen.
// Files that vanish meanwhile are left out.
//
// Errors: those of Directory; kNotFound if there is no `name`; kIncomplete if directories are
// nested more than 256 deep; kCancelled after `stop`, which is asked every 1,000 entries.
Result<TreeUsage> MeasureTree(const Directory& parent, std::string_view name,
                              const std::stop_token& stop);

}  // namespace imagesweep::store
