#pragma once

#include "agent/base/result.h"
#include "agent/cli/options.h"
#include "agent/kube/workload_index_objects.h"

namespace imagesweep {

// --index-name: NAME in the namespace of the own pod, or NAMESPACE/NAME.  kInvalid: another form.
Result<kube::IndexName> IndexNameOf(const Options& options);

}  // namespace imagesweep
