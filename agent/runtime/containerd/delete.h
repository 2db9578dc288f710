#pragma once

#include <string>
#include <string_view>

#include "agent/base/result.h"
#include "agent/runtime/containerd/call.h"
#include "agent/runtime/containerd/record_removal.h"
#include "agent/runtime/containerd/stubs.h"

namespace imagesweep::containerd {

// All calls to containerd's own services that delete something. Before the last name of an image,
// the caller must have asked the deletion guard.

// Deletes one name while it refers to `record.target`. Only containerd 2.0 and later compare the
// target themselves, so the caller must have read it right before. Does not wait for the garbage
// collection.
Status DeleteRecord(const Calls& calls, MetadataReader::Stubs& stubs, const std::string& name_space,
                    const Record& record);

// Whether the call may have taken effect in spite of this error.
bool MayHaveHappened(ErrorKind error);

// Deletes a lease that this program created. With `sync`, containerd collects garbage before it
// replies. Content that a name, a container, or another lease refers to stays.
Status EndLease(const Calls& calls, api::leases::Leases::Stub& leases,
                const std::string& name_space, const std::string& lease, bool sync);

// Creates a lease, deletes it, and waits. This runs one garbage collection on every version. If
// this process dies in between, the lease expires at `expires` (RFC 3339).
Status CollectGarbage(const Calls& calls, MetadataReader::Stubs& stubs,
                      const std::string& name_space, const std::string& lease,
                      const std::string& expires);

}  // namespace imagesweep::containerd
