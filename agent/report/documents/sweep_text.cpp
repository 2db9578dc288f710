#include "agent/base/quantity.h"
#include "agent/report/documents/document.h"
#include "agent/report/documents/held_back.h"
#include "agent/report/documents/space_figure.h"
#include "agent/report/documents/text.h"
#include "agent/report/documents/text_parts.h"
#include "agent/report/render/printable.h"
#include "agent/report/render/table.h"

// The result of a run, for a terminal.

namespace imagesweep {
namespace {

std::string Percent(std::uint64_t part, std::uint64_t whole) {
  if (whole == 0) return "0%";
  return std::to_string((part * 100 + whole / 2) / whole) + "%";
}

std::string DiskCell(const std::optional<DiskUsage>& disk) {
  if (!disk || disk->capacity_bytes == 0) return "unknown";
  return HumanBytes(disk->capacity_bytes - disk->available_bytes) + " of " +
         HumanBytes(disk->capacity_bytes) + " (" + std::to_string(disk->used_percent()) + "%)";
}

std::string BeforeAndAfter(const Report& report) {
  if (!report.before || !report.after) return {};
  const NodeTotals& before = *report.before;
  const NodeTotals& after = *report.after;
  // A dry run changes nothing, so the measured state after it says nothing.
  const std::optional<NodeTotals>& left = report.dry_run ? report.predicted_after : report.after;
  Table table({"", "BEFORE", report.dry_run ? "AFTER (ESTIMATE)" : "AFTER"});
  const auto row = [&](const char* what, const auto& cell) {
    table.Add({what, cell(before), left ? cell(*left) : ""});
  };
  row("Images", [](const NodeTotals& s) { return std::to_string(s.images); });
  row("Image sizes", [](const NodeTotals& s) { return HumanBytes(s.bytes); });
  row("Reclaimable", [](const NodeTotals& s) {
    return HumanBytes(s.reclaimable_bytes) + " (" + Percent(s.reclaimable_bytes, s.bytes) + ")";
  });
  row("Disk used", [](const NodeTotals& s) { return DiskCell(s.disk); });
  std::string text = "\n" + table.Render() + kReclaimableMeans + "\n";
  if (report.layers) {
    text += (report.dry_run ? "Would free, by the layers: " : "Freed, by the layers: ") +
            Printable(PredictedAndMeasured(*report.layers)) + ".\n";
    if (!report.layers->off_by.empty())
      text += "Difference: " + Printable(report.layers->off_by) + ".\n";
  }
  if (before.disk && after.disk && !report.dry_run) {
    const auto freed = static_cast<std::int64_t>(after.disk->available_bytes) -
                       static_cast<std::int64_t>(before.disk->available_bytes);
    text += "Measured on the file system (statvfs): " +
            (freed >= 0 ? HumanBytes(static_cast<std::uint64_t>(freed)) + " more"
                        : HumanBytes(static_cast<std::uint64_t>(-freed)) + " less") +
            " free than before.\n";
  }
  return text;
}

std::string Verification(const Report& report) {
  if (!report.after) return {};
  if (report.missing_after.empty()) {
    return "Verified: " + document::AllArePresent(report.referenced_images) + "\n";
  }
  std::string text = "MISSING after the run, although referenced:\n";
  for (const std::string& name : report.missing_after)
    text += "  " + Printable(ShownName(name)) + "\n";
  return text;
}

// "; 3 await confirmation by 1 to 2 more runs (limits.confirmRuns)"; empty: no image awaits it.
std::string AwaitConfirmation(const Plan& plan) {
  const auto [images, fewest, most] = plan.CountAwaitingConfirmation();
  if (images == 0) return {};
  return "; " + std::to_string(images) + (images == 1 ? " awaits" : " await") +
         " confirmation by " + (fewest == most ? "" : std::to_string(fewest) + " to ") +
         document::Count(static_cast<std::size_t>(most), "more run") + " (limits.confirmRuns)";
}

// How to remove the images of a dry run.
std::string HowToRemove(const Report& report) {
  if (!report.dry_run || report.outcomes.empty()) return {};
  return "No image was removed. To remove images, run the same command with --dry-run=false.\n";
}

}  // namespace

std::string Summary(const Report& report) {
  if (report.refused && report.outcomes.empty())
    return "Run aborted, nothing removed: " + CannotRead(report.refused->source) + ": " +
           report.refused->error.what;
  const OutcomeKind done = report.dry_run ? OutcomeKind::kWouldRemove : OutcomeKind::kRemoved;
  std::vector<ImagePos> went;
  for (const Outcome& outcome : report.outcomes)
    if (outcome.kind == done) went.push_back(outcome.image);
  std::string text = (report.dry_run ? "Dry run: would remove " : "Removed ") +
                     ImageCount(went.size()) + " (" + HumanBytes(SizeOf(report, went)) +
                     " as the runtime counts sizes) of " +
                     std::to_string(report.plan.decisions.size());
  for (const auto& [kind, word] : {std::pair{OutcomeKind::kSkipped, "skipped"},
                                   {OutcomeKind::kFailed, "failed"},
                                   {OutcomeKind::kStillListed, "still listed"}}) {
    if (const auto count = report.Count(kind); count > 0)
      text += "; " + std::to_string(count) + " " + word;
  }
  text += AwaitConfirmation(report.plan);
  if (!report.stopped_early.empty()) text += "; stopped early: " + report.stopped_early;
  return text;
}

RunEntry RunEntryOf(const Report& report) {
  RunEntry entry;
  entry.run = report.run;
  entry.started = report.started;
  entry.finished = report.finished;
  entry.dry_run = report.dry_run;
  entry.result = ResultOf(report);
  entry.headline = Summary(report);
  for (const Outcome& outcome : report.outcomes) {
    if (outcome.kind != OutcomeKind::kRemoved && outcome.kind != OutcomeKind::kWouldRemove)
      continue;
    ++entry.removed;
    entry.bytes += report.observation.images[outcome.image].size_bytes;
  }
  return entry;
}

std::string CannotRead(std::string_view source) {
  if (source == "runtime") return "cannot use the runtime";
  if (source == "identity") return "cannot confirm the identity of the node";
  if (source == "node") return "cannot read the labels of the node";
  if (source == "policy") return "cannot read the policy";
  return "cannot read " + std::string(source);
}

std::string SweepText(const Report& report, const TextOptions& options) {
  std::string text;
  if (!report.outcomes.empty()) {
    Table table({"NAME", "ID", "SIZE", "OUTCOME", "CODE", "AGE", "REASON"},
                {{"ID", "AGE", "CODE", "SIZE"}, "REASON"});
    const ShortNames names = NamesFor(options, report);
    for (const Outcome& outcome : report.outcomes) {
      const Image& image = report.observation.images[outcome.image];
      const Decision& decision = report.plan.decisions[outcome.image];
      table.Add({NamesCell(image, names), ShortId(image.id), HumanBytes(image.size_bytes),
                 std::string(ToString(outcome.kind)), std::string(ToString(decision.code)),
                 AgeCell(report.observation.ages[outcome.image]),
                 outcome.detail.empty() ? decision.reason : outcome.detail});
    }
    text += table.Render(options.with_header, options.width);
    if (options.with_header) text += '\n';
  }
  if (!options.with_header) return text;
  text += Printable(Summary(report)) + ".\n" + Deferred(report);
  if (report.outcomes.empty()) text += KeptByCode(report);
  // ensure-space prints these groups together with the missing space.
  if (report.outcomes.empty() && report.plan.free_space_target == 0) text += HeldBackText(report);
  return text + BeforeAndAfter(report) + Verification(report) + Footer(report) +
         HowToRemove(report);
}

}  // namespace imagesweep
