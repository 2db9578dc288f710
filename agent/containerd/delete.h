#pragma once

#include <string>
#include <string_view>

#include "agent/base/result.h"
#include "agent/containerd/call.h"
#include "agent/containerd/record_removal.h"
#include "agent/containerd/stubs.h"

namespace imagesweep::containerd {

// All calls to containerd's own services that delete parts of an image. For the last name, the
// caller must have asked the guard.

// Deletes one name while it refers to `record.target`. Only containerd 2.0 and later compare the
// target themselves, so the caller must have read it right before. Does not wait for the garbage
// collection.
Status DeleteRecord(const Calls& calls, Collector::Stubs& stubs, const std::string& name_space,
                    const Record& record);

// Whether the call may have taken effect in spite of this error.
bool MayHaveHappened(ErrorKind error);

// Creates a lease, deletes it, and waits. This runs one garbage collection on every version. If
// this process dies in between, the lease expires at `expires` (RFC 3339).
Status CollectGarbage(const Calls& calls, Collector::Stubs& stubs, const std::string& name_space,
                      const std::string& lease, const std::string& expires);

}  // namespace imagesweep::containerd
