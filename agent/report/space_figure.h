#pragma once

#include <cstdint>
#include <string>

#include "agent/model/report.h"

namespace imagesweep {

// Figures of the layers in words.

// Beside a figure that is none: "≤" at most, "≥" at least, "~" roughly; empty when exact.
std::string BoundMark(const SpaceFigure& figure);
// "exact", "at most", …: the word for documents.
std::string CertaintyOf(const SpaceFigure& figure);
// "1.2GiB (exact)", "at most 1.2GiB (Leases.List: broken)".
std::string FreesText(const SpaceFigure& figure);
// "predicted 1.2GiB (exact), measured 1.3GiB"; of a dry run what would have gone.
std::string PredictedAndMeasured(const LayerFigures& figures);
// One image's row of a table, "≤1.2GiB" or "-" each.
struct SpaceCells {
  std::string unique = "-", shared = "-", frees = "-";
};
SpaceCells CellsOf(const Report& report, std::uint32_t image);
// Null when the layers are not known.
const ImageSpace* SpaceOf(const Report& report, std::uint32_t image);

}  // namespace imagesweep
