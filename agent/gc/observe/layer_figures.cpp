#include "agent/gc/observe/layer_figures.h"

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "agent/base/quantity.h"
#include "agent/imagestore/analysis/sharing.h"
#include "agent/imagestore/graph/incremental_reclaim.h"

namespace imagesweep {
namespace {

// Files that other processes write in between, and directories of containerd that grow.
constexpr std::uint64_t kToleratedBytes = std::uint64_t{1} << 20;

SpaceFigure FigureOf(const layers::LayerGraph& graph, const std::vector<ImagePos>& images) {
  const layers::Freed freed = graph.FreedBy(images);
  SpaceFigure figure;
  figure.bytes = freed.space.bytes;
  figure.inodes = freed.space.inodes;
  if (!freed.exact()) {
    figure.certainty = layers::ToString(freed.certainty);
    figure.why = freed.why;
  }
  return figure;
}

std::int64_t Less(std::uint64_t before, std::uint64_t after) {
  return static_cast<std::int64_t>(before) - static_cast<std::int64_t>(after);
}

}  // namespace

LayerFigures FiguresOf(const layers::LayerGraph& graph, const Plan& plan) {
  LayerFigures figures;
  const layers::Sharing sharing = layers::MeasureSharing(graph);
  layers::IncrementalReclaim alone(graph);
  figures.images.reserve(graph.size());
  for (const ImagePos at : Positions(graph))
    figures.images.push_back(
        {sharing.images[at].total.bytes, sharing.images[at].unique.bytes, alone.Gain(at).bytes});
  figures.planned = FigureOf(graph, plan.removals);
  return figures;
}

void Compare(const layers::LayerGraph& graph, Report& report) {
  LayerFigures& figures = *report.layers;
  std::vector<ImagePos> went;
  for (const Outcome& outcome : report.outcomes)
    if (outcome.kind == OutcomeKind::kRemoved || outcome.kind == OutcomeKind::kWouldRemove)
      went.push_back(outcome.image);
  figures.removed = FigureOf(graph, went);
  const auto& before = report.before->disk;
  const auto& after = report.after->disk;
  if (report.dry_run || !before || !after || before->mountpoint != after->mountpoint) return;
  figures.measured_bytes = Less(after->available_bytes, before->available_bytes);
  figures.measured_inodes = Less(after->inodes_free, before->inodes_free);
  // Archives may have been written to the same disk in between.
  if (!figures.removed.exact() || !report.effective_policy.keep.archive.path.empty()) return;
  const std::int64_t off =
      *figures.measured_bytes - static_cast<std::int64_t>(figures.removed.bytes);
  const auto distance = static_cast<std::uint64_t>(std::llabs(off));
  if (distance > std::max(kToleratedBytes, figures.removed.bytes / 100))
    figures.off_by = HumanBytes(distance) + (off > 0 ? " more" : " less") +
                     " than predicted; other processes also write to this disk";
}

NodeTotals PredictAfter(const Report& report) {
  NodeTotals left = *report.before;
  for (const Outcome& outcome : report.outcomes) {
    if (outcome.kind != OutcomeKind::kWouldRemove) continue;
    const std::uint64_t bytes = report.observation.images[outcome.image].size_bytes;
    --left.images;
    left.bytes -= bytes;
    if (IsReclaimable(report.plan.decisions[outcome.image])) left.reclaimable_bytes -= bytes;
  }
  if (!report.layers) left.disk.reset();
  if (left.disk) {
    const SpaceFigure& freed = report.layers->removed;
    DiskUsage& disk = *left.disk;
    disk.available_bytes = std::min(disk.capacity_bytes, disk.available_bytes + freed.bytes);
    disk.inodes_free = std::min(disk.inodes, disk.inodes_free + freed.inodes);
  }
  return left;
}

}  // namespace imagesweep
