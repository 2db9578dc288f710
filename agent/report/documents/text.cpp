#include "agent/report/documents/text.h"

#include <algorithm>
#include <cstdio>

#include "agent/base/quantity.h"
#include "agent/report/documents/document.h"
#include "agent/report/documents/held_back.h"
#include "agent/report/documents/image_list.h"
#include "agent/report/documents/listing.h"
#include "agent/report/documents/space_figure.h"
#include "agent/report/documents/text_parts.h"
#include "agent/report/render/printable.h"
#include "agent/report/render/table.h"

namespace imagesweep {
namespace {

std::string UsedByCell(const Observation& seen, const Decision& decision) {
  const auto users = PodsOf(seen, decision);
  if (!decision.needed_by.empty()) {
    const WorkloadReference& first = seen.workloads[WorkloadsOf(seen, decision, 1).front()];
    const std::string cell = first.kind + "/" + first.workload_namespace + "/" + first.name;
    const std::size_t others = decision.needed_by.size() - 1;
    return others > 0 ? cell + "+" + std::to_string(others) : cell;
  }
  if (users.empty()) return {};
  std::string cell = Describe(users.front());
  if (users.size() > 1) cell += "+" + std::to_string(users.size() - 1);
  return cell;
}

constexpr std::size_t kMaxWorkloadLines = 20;

Table ImageTable(const TextOptions& options) {
  std::vector<std::string> header = {"NAME", "ID", "SIZE", "VERDICT", "CODE", "USED-BY"};
  if (options.wide) header.insert(header.begin() + 3, {"UNIQUE", "SHARED", "FREES"});
  if (options.wide) header.insert(header.end(), {"ORIGIN", "FIRST-SEEN", "LAST-USED"});
  header.push_back("AGE");
  if (options.wide) header.push_back("REASON");
  return Table(std::move(header), {{"ID", "AGE", "USED-BY", "CODE", "SIZE"}, {}});
}

void AddImage(Table& table, const Report& report, ImagePos at, const TextOptions& options,
              const ShortNames& names) {
  const Image& image = report.observation.images[at];
  const ImageAge& age = report.observation.ages[at];
  const Decision& decision = report.plan.decisions[at];
  std::vector<std::string> row = {NamesCell(image, names),
                                  ShortId(image.id),
                                  HumanBytes(image.size_bytes),
                                  std::string(ToString(decision.verdict)),
                                  std::string(ToString(decision.code)),
                                  UsedByCell(report.observation, decision)};
  if (options.wide) {
    const SpaceCells space = CellsOf(report, at);
    row.insert(row.begin() + 3, {space.unique, space.shared, space.frees});
    row.emplace_back(ToString(image.origin.kind));
    row.push_back(FormatTime(age.first_seen));
    row.push_back(age.last_used ? FormatTime(*age.last_used) : "never-seen");
  }
  row.push_back(AgeCell(age));
  if (options.wide) row.push_back(decision.reason);
  table.Add(std::move(row));
}

// The number of planned removals without proof that a registry has the image.
std::string CannotBePulledAgain(const Report& report) {
  const auto count = std::ranges::count_if(report.plan.removals, [&](ImagePos at) {
    return report.observation.images[at].local_only();
  });
  if (count == 0) return {};
  const std::string& archive = report.effective_policy.keep.archive.path;
  return "No evidence proves that " + std::to_string(count) + " of these can be pulled again" +
         (archive.empty() ? ", and they are not archived (keep.archive).\n"
                          : "; they are archived in " + Printable(archive) + " first.\n");
}

}  // namespace

std::string ImagesText(const Report& report, std::span<const ImagePos> images,
                       const TextOptions& options) {
  Table table = ImageTable(options);
  const ShortNames names = NamesFor(options, report);
  for (const auto at : images) AddImage(table, report, at, options, names);
  std::string text =
      images.empty() ? std::string() : table.Render(options.with_header, options.width);
  if (!options.with_header) return text;
  return text + (images.empty() ? "" : "\n") + Footer(report);
}

std::string ImagesText(const Report& report, const TextOptions& options) {
  return ImagesText(report, AllByName(report.observation), options);
}

std::string PlanText(const Report& report, const TextOptions& options) {
  Table table = ImageTable(options);
  const ShortNames names = NamesFor(options, report);
  for (const auto at : report.plan.removals) AddImage(table, report, at, options, names);
  for (const Verdict verdict : {Verdict::kDefer, Verdict::kKeep})
    for (const auto at : AllByName(report.observation))
      if (report.plan.decisions[at].verdict == verdict) AddImage(table, report, at, options, names);
  std::string text = table.Render(options.with_header, options.width);
  if (!options.with_header) return text;
  const std::size_t removals = report.plan.removals.size();
  text += "\nTo remove: " + ImageCount(removals) + ", " +
          HumanBytes(SizeOf(report, report.plan.removals)) + " as the runtime counts sizes" +
          (report.layers ? "; frees " + Printable(FreesText(report.layers->planned))
                         : " (shared layers stay, and unpacked layers are freed in addition)") +
          ". ";
  text += "Kept: " + std::to_string(report.plan.Count(Verdict::kKeep)) +
          ". Deferred: " + std::to_string(report.plan.Count(Verdict::kDefer)) + ".\n";
  return text + CannotBePulledAgain(report) + Deferred(report) +
         (removals == 0 ? HeldBackText(report) : "") + Footer(report) +
         "`imagesweep explain NAME` shows the reason for one image.\n";
}

std::string ExplanationText(const Report& report, ImagePos image,
                            std::span<const ExplainedStep> steps,
                            const std::string& what_would_change_it) {
  const Image& about = report.observation.images[image];
  const Decision& decision = report.plan.decisions[image];
  std::string text = Printable(NamesCell(about)) + "\n  id       " + about.id.text() + "\n";
  for (const ImageName& digest : about.digests)
    text += "  digest   " + Printable(digest.text()) + "\n";
  text += "  origin   " + std::string(ToString(about.origin.kind)) +
          (about.origin.evidence.empty() ? "" : ": " + Printable(about.origin.evidence)) + "\n";
  text += "  size     " + HumanBytes(about.size_bytes) + " as the runtime counts\n  verdict  " +
          std::string(ToString(decision.verdict)) + " (" + std::string(ToString(decision.code)) +
          "): " + Printable(decision.reason) + "\n";
  for (const ImageUser& by : UsersOf(report.observation, decision))
    text += "  used by  " + std::string(ToString(by.kind)) + " " + Printable(Describe(by)) + "\n";
  const auto needed_by = WorkloadsOf(report.observation, decision, kMaxWorkloadLines);
  for (const auto at : needed_by)
    text += "  wanted   " + Printable(Describe(report.observation.workloads[at])) + "\n";
  if (needed_by.size() < decision.needed_by.size())
    text += "  wanted   … and by " + std::to_string(decision.needed_by.size() - needed_by.size()) +
            " more workloads\n";
  text += "\nChecks in order; the first that applies decides:\n";
  for (const ExplainedStep& step : steps) {
    char line[64];
    std::snprintf(line, sizeof line, "  %s %-10s",
                  step.decides   ? "=>"
                  : step.applies ? " +"
                                 : "  ",
                  step.code.c_str());
    text += std::string(line) + " " + Printable(step.evidence) + "\n";
  }
  text += "\nWhat would change it: " + Printable(what_would_change_it) + "\n";
  return text + Footer(report);
}

}  // namespace imagesweep
