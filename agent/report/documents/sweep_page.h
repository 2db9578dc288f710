#pragma once

#include <string>

#include "agent/base/result.h"
#include "agent/model/report.h"
#include "agent/report/render/page.h"

namespace imagesweep {

// The report of one run for people: objective, removed images with reasons, kept images with users,
// disk before and after, verification, versions of each repository, restore commands, sizes over
// the limit, cost, failures, advice, and the policy of the run.  `sweep_report` is a document of
// kind SweepReport, as SweepJson writes it; kInvalid otherwise.  Not full: with
// ShortNames, and without the commands that pull images and the policy.
Result<Page> MakeSweepPage(const std::string& sweep_report, bool full = true);

// The plan of an evaluation: the parts of the page above that exist before a run.
Page MakePlanPage(const Report& plan);

}  // namespace imagesweep
