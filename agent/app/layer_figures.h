#pragma once

#include <span>

#include "agent/layers/graph.h"
#include "agent/model/evidence.h"
#include "agent/model/report.h"

namespace imagesweep {

// From the layer graph to the report, before a run and after it.

// What each image takes and frees, and what the plan's removals free together.
LayerFigures FiguresOf(const layers::LayerGraph& graph, const Plan& plan);

// What those that went should have freed, and what the disk says.  Requires report.layers,
// report.before and report.after.
void Compare(const layers::LayerGraph& graph, Report& report);

// What a dry run would leave if nothing else changed.  The snapshot has no disk without
// report.layers, because the space that comes free is not known then.  Requires report.before.
Snapshot PredictAfter(const Report& report);

// Containers in the CRI's namespace that the CRI does not list: of `ctr` and `nerdctl`, or lost by
// a runtime that was restarted while it ran them (containerd issue 7247).  Their images are in use
// like any other's: what they name, which may be another image by now, and what they run on.
// `images`: those that the graph was built with.
void AddUnknownContainers(const layers::LayerGraph& graph, std::span<const Image> images,
                          RuntimeUse& use);

}  // namespace imagesweep
