#pragma once

#include <string>

#include "agent/base/result.h"
#include "agent/report/page.h"

namespace imagesweep {

// The report of one run as people file it: objective, what went in which round and why, what stayed
// and for whom, disk before and after, verification, versions of each repository, how to get things
// back, sizes over their limit, cost, failures, advice, and the policy that was followed.
// `sweep_report` is a document of kind SweepReport, as SweepJson writes it; kInvalid when it is
// none.
Result<Page> MakeSweepPage(const std::string& sweep_report);

}  // namespace imagesweep
