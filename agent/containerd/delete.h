#pragma once

#include <string>
#include <string_view>

#include "agent/base/result.h"
#include "agent/containerd/call.h"
#include "agent/containerd/record_removal.h"
#include "agent/containerd/stubs.h"

namespace imagesweep::containerd {

// Every call to containerd's own services that destroys something of an image.  Whoever calls has
// asked the guard where it is the last name.

// Deletes one name, while it stands for `record.target`: only containerd 2.0 and later compare that
// themselves, so it has been read right before.  Does not wait for the garbage collection.
Status DeleteRecord(const Calls& calls, Collector::Stubs& stubs, const std::string& name_space,
                    const Record& record);

// What was asked for may have been done, though the answer was this error or none.
bool MayHaveHappened(ErrorKind error);

// Ends a lease that it has just made, and waits: one garbage collection, on every version.  The
// lease expires at `expires` should we die in between (RFC 3339).
Status CollectGarbage(const Calls& calls, Collector::Stubs& stubs, const std::string& name_space,
                      const std::string& lease, const std::string& expires);

}  // namespace imagesweep::containerd
