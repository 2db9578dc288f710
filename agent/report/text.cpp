#include "agent/report/text.h"

#include <algorithm>
#include <cstdio>
#include <map>

#include "agent/base/duration.h"
#include "agent/base/quantity.h"
#include "agent/report/document.h"
#include "agent/report/listing.h"
#include "agent/report/printable.h"
#include "agent/report/space_figure.h"
#include "agent/report/table.h"
#include "agent/report/untag.h"

namespace imagesweep {
namespace {

std::string ShortId(const ImageId& id) {
  std::string_view text = id.text();
  if (const auto colon = text.find(':'); colon != std::string_view::npos)
    text.remove_prefix(colon + 1);
  return std::string(text.substr(0, 12));
}

// "repo@sha256:d4ecc403849e": enough to tell two apart; `explain` and -o json have all of it.
std::string ShortDigest(const ImageName& name) {
  constexpr std::size_t kShown = 12;
  const auto colon = name.text().rfind(':');
  return name.text().substr(0, colon + 1 + kShown);
}

// All tags in one cell, so that an alias is seen; the id column tells twins apart.
std::string NamesCell(const Image& image) {
  if (image.tags.empty())
    return image.digests.empty() ? "<none>" : ShortDigest(image.digests.front());
  std::string cell;
  for (const ImageName& tag : image.tags) cell += (cell.empty() ? "" : ",") + tag.text();
  return cell;
}

std::string UsedByCell(const Observation& seen, const Decision& decision) {
  const auto users = PodsOf(seen, decision);
  if (!decision.wanted_by.empty()) {
    const WorkloadReference& first = seen.workloads[WorkloadsOf(seen, decision, 1).front()];
    const std::string cell = first.kind + "/" + first.workload_namespace + "/" + first.name;
    const std::size_t others = decision.wanted_by.size() - 1;
    return others > 0 ? cell + "+" + std::to_string(others) : cell;
  }
  if (users.empty()) return {};
  std::string cell = Describe(users.front());
  if (users.size() > 1) cell += "+" + std::to_string(users.size() - 1);
  return cell;
}

constexpr std::size_t kMaxWorkloadLines = 20;

std::string AgeCell(const ImageAge& age) {
  return age.just_seen ? "just-seen" : HumanDuration(age.unused_for);
}

Table ImageTable(const TextOptions& options) {
  std::vector<std::string> header = {"NAME", "ID", "SIZE", "VERDICT", "CODE", "USED-BY"};
  if (options.wide) header.insert(header.begin() + 3, {"UNIQUE", "SHARED", "FREES"});
  if (options.wide) header.insert(header.end(), {"FIRST-SEEN", "LAST-USED"});
  header.push_back("AGE");
  if (options.wide) header.push_back("REASON");
  return Table(std::move(header));
}

void AddImage(Table& table, const Report& report, std::uint32_t at, const TextOptions& options) {
  const Image& image = report.observation.images[at];
  const ImageAge& age = report.observation.ages[at];
  const Decision& decision = report.plan.decisions[at];
  std::vector<std::string> row = {NamesCell(image),
                                  ShortId(image.id),
                                  HumanBytes(image.size_bytes),
                                  std::string(ToString(decision.verdict)),
                                  std::string(ToString(decision.code)),
                                  UsedByCell(report.observation, decision)};
  if (options.wide) {
    const SpaceCells space = CellsOf(report, at);
    row.insert(row.begin() + 3, {space.unique, space.shared, space.frees});
    row.push_back(FormatTime(age.first_seen));
    row.push_back(age.last_used ? FormatTime(*age.last_used) : "never-seen");
  }
  row.push_back(AgeCell(age));
  if (options.wide) row.push_back(decision.reason);
  table.Add(std::move(row));
}

std::string Footer(const Report& report) {
  std::string text = "Policy: " + report.policy.description;
  if (!report.policy.sha256.empty()) text += " (sha256 " + report.policy.sha256 + ")";
  text += ". Evidence: ";
  if (report.evidence.without_kubernetes) {
    text +=
        "the runtime alone, WITHOUT KUBERNETES: what pods need but no container holds yet is not "
        "seen; ";
  } else {
    text += document::Count(report.evidence.pods, "pod") + " on node " + report.node + ", ";
  }
  text += document::Count(report.evidence.containers, "container");
  if (report.in_force.keep.workloads.enabled)
    text += ", " + document::Count(report.observation.workloads.size(), "image reference") +
            " of workloads";
  text += ".\n";
  if (report.in_force.suspend)
    text += "The policy is SUSPENDED: nothing is removed while its suspend is true.\n";
  for (const std::string& warning : report.warnings)
    text += "Warning: " + Printable(warning) + "\n";
  if (std::ranges::any_of(report.observation.ages, &ImageAge::just_seen)) {
    text +=
        "Note: ages of \"just-seen\" images start now: what happened before the first look is not "
        "known.\n";
  }
  return text;
}

std::uint64_t SizeOf(const Report& report, const std::vector<std::uint32_t>& images) {
  std::uint64_t bytes = 0;
  for (const auto at : images) bytes += report.observation.images[at].size_bytes;
  return bytes;
}

std::string Images(std::size_t count) {
  return document::Count(count, "image");
}

// What is to go later, and why not now.
std::string Deferred(const Report& report) {
  std::map<std::string, std::vector<std::uint32_t>> waiting;
  for (const Decision& decision : report.plan.decisions)
    if (decision.verdict == Verdict::kDefer) waiting[decision.waits_for].push_back(decision.image);
  std::string text;
  for (const auto& [what, images] : waiting)
    text += "Deferred: " + Images(images.size()) + " (" + HumanBytes(SizeOf(report, images)) +
            "): " + what + ".\n";
  return text;
}

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
  const Snapshot& before = *report.before;
  const Snapshot& after = *report.after;
  Table table({"", "BEFORE", "AFTER"});
  table.Add({"Images", std::to_string(before.images), std::to_string(after.images)});
  table.Add({"Image sizes", HumanBytes(before.bytes), HumanBytes(after.bytes)});
  const auto reclaimable = [](const Snapshot& s) {
    return HumanBytes(s.reclaimable_bytes) + " (" + Percent(s.reclaimable_bytes, s.bytes) + ")";
  };
  table.Add({"Reclaimable", reclaimable(before), reclaimable(after)});
  table.Add({"Disk used", DiskCell(before.disk), DiskCell(after.disk)});
  std::string text = "\n" + table.Render() + kReclaimableMeans + "\n";
  if (report.layers) {
    text += (report.dry_run ? "Would free, by the layers: " : "Freed, by the layers: ") +
            Printable(PredictedAndMeasured(*report.layers)) + ".\n";
    if (!report.layers->off_by.empty())
      text += "Off by: " + Printable(report.layers->off_by) + ".\n";
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
  std::string text = "MISSING after the run, though referenced:\n";
  for (const std::string& name : report.missing_after) text += "  " + Printable(name) + "\n";
  return text;
}

// Of what goes, how much no registry is known to have.
std::string CannotBePulledAgain(const Report& report) {
  const auto count = std::ranges::count_if(report.plan.removals, [&](std::uint32_t at) {
    return report.observation.images[at].local_only();
  });
  if (count == 0) return {};
  const std::string& archive = report.in_force.keep.archive.path;
  return std::to_string(count) + " of these cannot be pulled again" +
         (archive.empty() ? ", and nothing keeps a copy (keep.archive).\n"
                          : "; a copy goes to " + Printable(archive) + " first.\n");
}

}  // namespace

std::string ImagesText(const Report& report, const TextOptions& options) {
  Table table = ImageTable(options);
  for (const auto at : AllByName(report.observation)) AddImage(table, report, at, options);
  const std::string text = table.Render(options.with_header);
  return options.with_header ? text + "\n" + Footer(report) : text;
}

std::string PlanText(const Report& report, const TextOptions& options) {
  Table table = ImageTable(options);
  for (const auto at : report.plan.removals) AddImage(table, report, at, options);
  for (const Verdict verdict : {Verdict::kDefer, Verdict::kKeep})
    for (const auto at : AllByName(report.observation))
      if (report.plan.decisions[at].verdict == verdict) AddImage(table, report, at, options);
  std::string text =
      table.Render(options.with_header) + PlannedTagsText(report, options.with_header);
  if (!options.with_header) return text;
  const std::size_t removals = report.plan.removals.size();
  text += "\nTo remove: " + Images(removals) + ", " +
          HumanBytes(SizeOf(report, report.plan.removals)) + " as the runtime counts sizes" +
          (report.layers ? "; frees " + Printable(FreesText(report.layers->planned))
                         : " (shared layers stay, unpacked layers come free besides)") +
          ". ";
  text += "Kept: " + std::to_string(report.plan.Count(Verdict::kKeep)) +
          ". Deferred: " + std::to_string(report.plan.Count(Verdict::kDefer)) + ".\n";
  return text + CannotBePulledAgain(report) + Deferred(report) + Footer(report) +
         "`imagesweep explain NAME` says why for one image.\n";
}

std::string Summary(const Report& report) {
  if (report.refused && report.outcomes.empty() && report.untagged.empty())
    return "Refused: removed nothing, because " + report.refused->source +
           " cannot be trusted: " + report.refused->error.what;
  const OutcomeKind done = report.dry_run ? OutcomeKind::kWouldRemove : OutcomeKind::kRemoved;
  std::vector<std::uint32_t> went;
  for (const Outcome& outcome : report.outcomes)
    if (outcome.kind == done) went.push_back(outcome.image);
  std::string text = (report.dry_run ? "Dry run: would remove " : "Removed ") +
                     Images(went.size()) + " (" + HumanBytes(SizeOf(report, went)) +
                     " as the runtime counts sizes) of " +
                     std::to_string(report.plan.decisions.size());
  for (const auto& [kind, word] : {std::pair{OutcomeKind::kSpared, "spared"},
                                   {OutcomeKind::kFailed, "failed"},
                                   {OutcomeKind::kStillListed, "still listed"}}) {
    if (const auto count = report.Count(kind); count > 0)
      text += "; " + std::to_string(count) + " " + word;
  }
  text += TagsSummary(report);
  if (!report.stopped_early.empty()) text += "; stopped early: " + report.stopped_early;
  return text;
}

std::string SweepText(const Report& report, const TextOptions& options) {
  std::string text;
  if (!report.outcomes.empty()) {
    Table table({"NAME", "ID", "SIZE", "OUTCOME", "CODE", "AGE", "REASON"});
    for (const Outcome& outcome : report.outcomes) {
      const Image& image = report.observation.images[outcome.image];
      const Decision& decision = report.plan.decisions[outcome.image];
      table.Add({NamesCell(image), ShortId(image.id), HumanBytes(image.size_bytes),
                 std::string(ToString(outcome.kind)), std::string(ToString(decision.code)),
                 AgeCell(report.observation.ages[outcome.image]),
                 outcome.detail.empty() ? decision.reason : outcome.detail});
    }
    text += table.Render(options.with_header);
    if (options.with_header) text += '\n';
  }
  text += DroppedTagsText(report, options.with_header);
  if (!options.with_header) return text;
  text += Printable(Summary(report)) + ".\n" + Deferred(report);
  text += BeforeAndAfter(report) + Verification(report) + Footer(report);
  if (report.dry_run && !(report.outcomes.empty() && report.untagged.empty()))
    text += "Nothing was removed. `imagesweep sweep --dry-run=false` removes them.\n";
  return text;
}

std::string ExplanationText(const Report& report, std::uint32_t image,
                            std::span<const ExplainedStep> steps,
                            const std::string& what_would_change_it) {
  const Image& about = report.observation.images[image];
  const Decision& decision = report.plan.decisions[image];
  std::string text = Printable(NamesCell(about)) + "\n  id       " + about.id.text() + "\n";
  for (const ImageName& digest : about.digests)
    text += "  digest   " + Printable(digest.text()) + "\n";
  text += "  size     " + HumanBytes(about.size_bytes) + " as the runtime counts\n  verdict  " +
          std::string(ToString(decision.verdict)) + " (" + std::string(ToString(decision.code)) +
          "): " + Printable(decision.reason) + "\n";
  for (const Referrer& by : UsersOf(report.observation, decision))
    text += "  used by  " + std::string(ToString(by.kind)) + " " + Printable(Describe(by)) + "\n";
  const auto wanted_by = WorkloadsOf(report.observation, decision, kMaxWorkloadLines);
  for (const auto at : wanted_by)
    text += "  wanted   " + Printable(Describe(report.observation.workloads[at])) + "\n";
  if (wanted_by.size() < decision.wanted_by.size())
    text += "  wanted   … and by " + std::to_string(decision.wanted_by.size() - wanted_by.size()) +
            " more workloads\n";
  text += TagsText(report, image);
  text += "\nQuestions, in order; the first that applies decides:\n";
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
