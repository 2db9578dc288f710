#pragma once

#include <span>

#include "agent/imagestore/graph/graph.h"
#include "agent/model/evidence.h"
#include "agent/model/report.h"

namespace imagesweep {

// Figures of the layer graph for the report, before and after a run.

// The space that each image takes and frees, and that the removals of the plan free together.
LayerFigures FiguresOf(const layers::LayerGraph& graph, const Plan& plan);

// Compares the predicted with the measured space that the removed images freed.  Requires
// report.layers, report.before and report.after.
void Compare(const layers::LayerGraph& graph, Report& report);

// The estimated state after the removals of a dry run, if nothing else changes.  Has no disk
// without report.layers, because the freed space is not known then.  Requires report.before.
NodeTotals PredictAfter(const Report& report);

// Adds containers in the CRI's namespace that the CRI does not list: of `ctr` and `nerdctl`, or
// lost in a restart of the runtime (containerd issue 7247).  Both the image that they name, which
// may have changed, and the image that they run on count as in use.  `images`: the images that the
// graph was built with.
void AddUnknownContainers(const layers::LayerGraph& graph, std::span<const Image> images,
                          RuntimeUse& use);

}  // namespace imagesweep
