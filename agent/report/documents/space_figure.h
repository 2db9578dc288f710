#pragma once

#include <string>

#include "agent/model/report.h"

namespace imagesweep {

// Figures of the layers as text.

// The mark of a figure that is not exact: "≤" at most, "≥" at least, "~" roughly; empty if exact.
std::string BoundMark(const SpaceFigure& figure);
// "exact", "at most", …: the word for documents.
std::string CertaintyOf(const SpaceFigure& figure);
// "1.2GiB (exact)", "at most 1.2GiB (Leases.List: broken)".
std::string FreesText(const SpaceFigure& figure);
// "predicted 1.2GiB (exact), measured 1.3GiB"; for a dry run, only the prediction.
std::string PredictedAndMeasured(const LayerFigures& figures);
// One image's row of a table, "≤1.2GiB" or "-" each.
struct SpaceCells {
  std::string unique = "-", shared = "-", frees = "-";
};
SpaceCells CellsOf(const Report& report, ImagePos image);
// Null if the layers are not known.
const ImageSpace* SpaceOf(const Report& report, ImagePos image);

}  // namespace imagesweep
