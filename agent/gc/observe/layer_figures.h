#pragma once

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

}  // namespace imagesweep
