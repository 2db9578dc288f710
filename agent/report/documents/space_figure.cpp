#include "agent/report/documents/space_figure.h"

#include "agent/base/quantity.h"

namespace imagesweep {
namespace {

std::string Signed(std::int64_t bytes) {
  return bytes < 0 ? "-" + HumanBytes(static_cast<std::uint64_t>(-bytes))
                   : HumanBytes(static_cast<std::uint64_t>(bytes));
}

}  // namespace

std::string BoundMark(const SpaceFigure& figure) {
  if (figure.exact()) return {};
  if (figure.certainty == "at most") return "\u2264";
  return figure.certainty == "at least" ? "\u2265" : "~";
}

std::string CertaintyOf(const SpaceFigure& figure) {
  return figure.exact() ? "exact" : figure.certainty;
}

std::string FreesText(const SpaceFigure& figure) {
  const std::string bytes = HumanBytes(figure.bytes);
  return figure.exact() ? bytes + " (exact)"
                        : figure.certainty + " " + bytes + " (" + figure.why + ")";
}

std::string PredictedAndMeasured(const LayerFigures& figures) {
  std::string text = "predicted " + FreesText(figures.removed);
  if (figures.measured_bytes) text += ", measured " + Signed(*figures.measured_bytes);
  return text;
}

const ImageSpace* SpaceOf(const Report& report, ImagePos image) {
  if (!report.layers || !report.layers->images.Has(image)) return nullptr;
  return &report.layers->images[image];
}

SpaceCells CellsOf(const Report& report, ImagePos image) {
  const ImageSpace* const space = SpaceOf(report, image);
  if (space == nullptr) return {};
  // A part that was not read may belong to any image, so the certainty of the set applies to each.
  const std::string mark = BoundMark(report.layers->planned);
  return {mark + HumanBytes(space->unique_bytes),
          mark + HumanBytes(space->total_bytes - space->unique_bytes),
          mark + HumanBytes(space->frees_bytes)};
}

}  // namespace imagesweep
