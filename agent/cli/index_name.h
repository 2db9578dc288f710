#pragma once

#include "agent/base/result.h"
#include "agent/cli/options.h"
#include "agent/kube/workload_index_objects.h"

namespace imagesweep {

// --index-name: NAME in the own pod's namespace, or NAMESPACE/NAME.  kInvalid when it is neither.
Result<kube::IndexName> IndexNameOf(const Options& options);

}  // namespace imagesweep
