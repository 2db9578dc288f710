#include "agent/server/web/sections.h"

#include <algorithm>

#include "agent/base/quantity.h"
#include "agent/report/documents/advice.h"
#include "agent/report/documents/space_figure.h"
#include "agent/report/documents/text.h"
#include "agent/server/web/frame.h"

namespace imagesweep::web {
namespace {

constexpr std::size_t kMaxPlanned = 500;

void Fact(std::string_view name, std::string_view value, Html& html) {
  html << "<div><dt>" << Text{name} << "</dt><dd>" << Text{value} << "</dd></div>";
}

Html List(const std::vector<std::string>& items) {
  Html html;
  html << "<ul>";
  for (const std::string& item : items) html << "<li>" << Text{item} << "</li>";
  html << "</ul>";
  return html;
}

// A picture, with its text for screen readers.
Html Bar(const std::string& words, int used, const Thresholds& marks) {
  Html html;
  html << "<svg class=\"bar\" viewBox=\"0 0 100 6\" preserveAspectRatio=\"none\" role=\"img\" "
          "aria-label=\""
       << Text{words}
       << "\"><rect class=\"track\" width=\"100\" height=\"6\"/><rect class=\"use\" width=\""
       << used << "\" height=\"6\"/>";
  if (marks.high_percent > 0)
    for (const int mark : {marks.low_percent, marks.high_percent})
      html << "<rect class=\"mark\" x=\"" << mark << "\" width=\"0.4\" height=\"6\"/>";
  html << "</svg><p>" << Text{words} << "</p>";
  return html;
}

std::string MarkWords(const Thresholds& marks) {
  if (marks.high_percent == 0) return "no threshold: no image is removed to free space";
  return "from " + std::to_string(marks.high_percent) + "% on, images are removed down to " +
         std::to_string(marks.low_percent) + "%";
}

std::string DiskWords(const std::optional<NodeTotals>& snapshot) {
  if (!snapshot || !snapshot->disk || snapshot->disk->capacity_bytes == 0) return "?";
  return HumanBytes(snapshot->disk->capacity_bytes - snapshot->disk->available_bytes) + " (" +
         std::to_string(snapshot->disk->used_percent()) + "%)";
}

std::string ImageWords(const std::optional<NodeTotals>& snapshot) {
  return snapshot ? std::to_string(snapshot->images) : "?";
}

const Outcome* OutcomeOf(const Report& report, ImagePos image) {
  const auto found = std::ranges::find(report.outcomes, image, &Outcome::image);
  return found == report.outcomes.end() ? nullptr : &*found;
}

}  // namespace

Html StateSection(const StatusView& view) {
  Html html;
  html << (view.refused || !view.report ? Markup("<section id=\"state\" class=\"alarm\" ")
                                        : Markup("<section id=\"state\" "))
       << "aria-labelledby=\"state-title\"><h2 id=\"state-title\">State</h2>\n";
  if (view.refused)
    html << "<p class=\"bad\">" << Text{Summary(*view.refused)} << " ("
         << Time(view.refused->finished, view.now) << ")</p>\n";
  if (!view.report) {
    html << "<p>No run has evaluated the images yet. No image is removed.</p></section>\n";
    return html;
  }
  const Report& report = *view.report;
  if (view.refused && view.refused != view.report)
    html << "<p>The page shows the last complete run, " << Time(report.finished, view.now)
         << ".</p>\n";
  html << "<p>" << Text{Summary(report)} << ". " << Time(report.finished, view.now) << "</p>\n";
  std::uint64_t bytes = 0;
  for (const Image& image : report.observation.images) bytes += image.size_bytes;
  html << "<dl class=\"facts\">";
  Fact("Node", report.node, html);
  Fact("Runtime", report.runtime.name + " " + report.runtime.version, html);
  Fact("Mode", report.dry_run ? "dry run: removes nothing" : "removes images", html);
  Fact("Images", Counted(report.observation.images.size(), "image") + ", " + HumanBytes(bytes),
       html);
  Fact("To remove", std::to_string(report.plan.Count(Verdict::kRemove)), html);
  Fact("Deferred", std::to_string(report.plan.Count(Verdict::kDefer)), html);
  Fact("Kept", std::to_string(report.plan.Count(Verdict::kKeep)), html);
  html << "</dl>\n";
  std::vector<std::string> missing;
  for (const std::string& name : report.missing_after) missing.push_back(ShownName(name));
  if (!missing.empty())
    html << "<p class=\"bad\">Missing after the run, although referenced:</p>" << List(missing);
  if (!report.warnings.empty()) html << "<h3>Warnings</h3>" << List(report.warnings);
  if (const auto advice = Advice(report); !advice.empty())
    html << "<h3>Advice</h3>" << List(advice);
  html << "</section>\n";
  return html;
}

Html DiskSection(const Report& report) {
  Html html;
  html << "<section id=\"disk\" aria-labelledby=\"disk-title\"><h2 id=\"disk-title\">Disk</h2>\n";
  const auto& disk =
      report.after && report.after->disk ? report.after->disk : report.observation.disk;
  const DiskThresholds& thresholds = report.effective_policy.disk;
  if (!disk || disk->capacity_bytes == 0) {
    html << "<p>The disk usage is not known, so no image is removed to free space.</p></section>\n";
    return html;
  }
  const int used = disk->used_percent();
  html << Bar("Bytes: " + std::to_string(used) + "% of " + HumanBytes(disk->capacity_bytes) +
                  " used at " + disk->mountpoint + ", " + HumanBytes(disk->available_bytes) +
                  " free; " + MarkWords(thresholds),
              used, thresholds);
  if (disk->inodes > 0)
    html << Bar("Inodes: " + std::to_string(disk->inodes_used_percent()) + "% of " +
                    std::to_string(disk->inodes) + " used; " + MarkWords(thresholds.inodes),
                disk->inodes_used_percent(), thresholds.inodes);
  if (thresholds.critical.threshold_percent > 0)
    html << "<p>From " << thresholds.critical.threshold_percent
         << "% on, images that stay only because of minimumAge or keep.lastPerRepository of the "
            "policy may also be removed.</p>";
  html << "</section>\n";
  return html;
}

Html PlanSection(const StatusView& view) {
  const Report& report = *view.report;
  const auto& removals = report.plan.removals;
  Html html;
  html << "<section id=\"plan\" aria-labelledby=\"plan-title\"><h2 id=\"plan-title\">Plan</h2>\n<p>"
       << Text{Counted(removals.size(), "image")} << " to remove, "
       << Text{SizeOfAll(report, removals)} << " as the runtime counts sizes; in this order.";
  if (report.layers)
    html << " Frees " << Text{FreesText(report.layers->planned)} << " by the layers"
         << (report.outcomes.empty() ? Markup("") : Markup("; removed images: "))
         << Text{report.outcomes.empty() ? "" : PredictedAndMeasured(*report.layers)} << ".";
  if (!report.stopped_early.empty())
    html << " Stopped early: " << Text{report.stopped_early} << ".";
  html << "</p>\n";
  if (removals.empty()) {
    html << "</section>\n";
    return html;
  }
  html << "<table><thead><tr><th scope=\"col\">Number</th><th scope=\"col\">Image</th>"
          "<th scope=\"col\">Code</th><th scope=\"col\">Reason</th><th scope=\"col\">Outcome</th>"
          "<th scope=\"col\">Size</th></tr></thead>\n<tbody>\n";
  for (std::size_t i = 0; i < std::min(removals.size(), kMaxPlanned); ++i) {
    const auto at = removals[i];
    const Outcome* const outcome = OutcomeOf(report, at);
    html << "<tr><td data-of=\"number\">" << i + 1 << "</td><td>" << ImageLink(report, at)
         << "</td><td data-of=\"code\">" << Text{ToString(report.plan.decisions[at].code)}
         << "</td><td data-of=\"reason\">" << Text{report.plan.decisions[at].reason}
         << "</td><td data-of=\"outcome\">"
         << Text{outcome == nullptr ? std::string("not tried")
                                    : std::string(ToString(outcome->kind))};
    if (outcome != nullptr && !outcome->detail.empty()) html << ": " << Text{outcome->detail};
    html << "</td><td data-of=\"size\">"
         << Text{HumanBytes(report.observation.images[at].size_bytes)} << "</td></tr>\n";
  }
  html << "</tbody></table>";
  if (removals.size() > kMaxPlanned)
    html << "<p>and " << removals.size() - kMaxPlanned << " more.</p>";
  html << "</section>\n";
  return html;
}

Html RunsSection(const StatusView& view) {
  Html html;
  html << "<section id=\"runs\" aria-labelledby=\"runs-title\"><h2 id=\"runs-title\">Last "
          "runs</h2>\n";
  if (!view.runs_problem.empty())
    html << "<p class=\"bad\">The history cannot be read: " << Text{view.runs_problem} << "</p>";
  if (view.runs.empty()) {
    html << "<p>No run is recorded.</p></section>\n";
    return html;
  }
  html << "<table><thead><tr><th scope=\"col\">When</th><th scope=\"col\">Run</th>"
          "<th scope=\"col\">Result</th><th scope=\"col\">Images</th><th scope=\"col\">Disk "
          "used</th>"
          "<th scope=\"col\">Summary</th></tr></thead>\n<tbody>\n";
  for (const RunRow& run : view.runs) {
    html << "<tr><td>" << Time(run.entry.started, view.now);
    if (run.entry.times > 1) html << ", the last of " << run.entry.times << " like it";
    html << "</td><td data-of=\"run\">" << Text{run.entry.run} << "</td><td data-of=\"result\">"
         << Text{run.entry.result};
    if (run.entry.dry_run) html << ", dry run";
    html << "</td><td data-of=\"images\">" << Text{ImageWords(run.before)};
    const Text becomes{run.entry.dry_run ? " → about " : " → "};
    if (run.after) html << becomes << Text{ImageWords(run.after)};
    html << "</td><td data-of=\"disk used\">" << Text{DiskWords(run.before)};
    if (run.after && (run.after->disk || !run.entry.dry_run))
      html << becomes << Text{DiskWords(run.after)};
    html << "</td><td>" << Text{run.entry.headline} << "</td></tr>\n";
  }
  html << "</tbody></table></section>\n";
  return html;
}

Html SourcesSection(const StatusView& view) {
  Html html;
  html << "<section id=\"sources\" aria-labelledby=\"sources-title\">"
          "<h2 id=\"sources-title\">Sources</h2>\n<table><thead><tr><th scope=\"col\">Source</th>"
          "<th scope=\"col\">Health</th><th scope=\"col\">Status</th></tr></thead>\n<tbody>\n";
  const auto row = [&html](std::string_view name, bool ok, std::string_view text) {
    html << "<tr><td>" << Text{name} << "</td><td>"
         << (ok ? Markup("<span class=\"good\">good</span>")
                : Markup("<span class=\"bad\">failed</span>"))
         << "</td><td>" << Text{text} << "</td></tr>\n";
  };
  for (const HealthCheck& check : view.checks) row(check.name, check.ok, check.text);
  if (view.refused) row(view.refused->refused->source, false, view.refused->refused->error.what);
  if (view.report) {
    const Report& report = *view.report;
    const EvidenceSummary& evidence = report.evidence;
    const auto failed = [&view](std::string_view name) {
      return view.refused && view.refused->refused->source == name;
    };
    const std::string when = ", " + Ago(report.started, view.now);
    if (evidence.without_kubernetes)
      row("pods", false, "--without-kubernetes: only the runtime shows the images in use");
    else if (!failed("pods"))
      row("pods", true,
          Counted(evidence.pods, "pod") + " on this node, " + std::to_string(evidence.ready_pods) +
              " of " + std::to_string(evidence.unfinished_pods) +
              " unfinished pods ready; resource version " + evidence.resource_version + when);
    if (!failed("containers"))
      row("containers", true, Counted(evidence.containers, "container") + " in any state" + when);
    if (!failed("images"))
      row("images", true, Counted(report.observation.images.size(), "image") + " listed" + when);
    row("disk", report.observation.disk.has_value(),
        report.observation.disk ? report.observation.disk->mountpoint + when
                                : "not known, so no image is removed to free space" + when);
  }
  html << "</tbody></table></section>\n";
  return html;
}

Html PolicySection(const StatusView& view) {
  Html html;
  html << "<section id=\"policy\" aria-labelledby=\"policy-title\">"
          "<h2 id=\"policy-title\">Policy</h2>\n";
  const std::string& problem = view.policy ? view.policy->problem : view.policy_problem;
  if (!problem.empty()) {
    html << (view.policy ? Markup("<p class=\"bad\">The newest text is not in force:</p><pre>")
                         : Markup("<p class=\"bad\">No policy is in force:</p><pre>"))
         << Lines(problem) << "</pre>";
  }
  if (!view.policy) {
    html << "<p>No policy is in force, so no image is removed.</p></section>\n";
    return html;
  }
  const PolicyView& policy = *view.policy;
  html << "<dl class=\"facts\">";
  Fact("Source", policy.source.description, html);
  Fact("SHA-256", policy.source.sha256, html);
  Fact("Profile", policy.profile, html);
  if (!policy.matched_override.empty()) Fact("Override for", policy.matched_override, html);
  Fact("Dry run", policy.dry_run ? "yes" : "no", html);
  if (policy.suspend) Fact("Suspended", "yes", html);
  html << "</dl>\n<details><summary>Complete policy with all defaults</summary><pre>"
       << Lines(policy.text) << "</pre></details></section>\n";
  return html;
}

}  // namespace imagesweep::web
