#include "agent/report/untag.h"

#include <algorithm>

#include "agent/report/document.h"
#include "agent/report/printable.h"
#include "agent/report/table.h"

namespace imagesweep {
namespace {

const ImageName& TagOf(const Report& report, const NameToDrop& name) {
  return report.observation.images[name.image].tags[name.tag];
}

// What the image is called without the tags that go.
std::string StaysAs(const Report& report, std::uint32_t at) {
  for (const ImageName& tag : report.observation.images[at].tags) {
    const bool goes = std::ranges::any_of(report.plan.untags, [&](const NameToDrop& name) {
      return name.image == at && TagOf(report, name) == tag;
    });
    if (!goes) return tag.text();
  }
  return report.observation.images[at].id.text();
}

std::size_t Count(const Report& report, OutcomeKind kind) {
  return static_cast<std::size_t>(std::ranges::count(report.untagged, kind, &NameOutcome::kind));
}

}  // namespace

std::string PlannedTagsText(const Report& report, bool with_header) {
  if (report.plan.untags.empty()) return {};
  Table table({"TAG", "STAYS-AS", "RULE"});
  for (const NameToDrop& name : report.plan.untags)
    table.Add({TagOf(report, name).text(), StaysAs(report, name.image), name.rule});
  if (!with_header) return table.Render(false);
  return "\nTags to drop; their images stay, and nothing comes free:\n" + table.Render();
}

std::string DroppedTagsText(const Report& report, bool with_header) {
  if (report.untagged.empty()) return {};
  Table table({"TAG", "STAYS-AS", "OUTCOME", "REASON"});
  for (const NameOutcome& outcome : report.untagged) {
    const NameToDrop& name = report.plan.untags[outcome.untag];
    table.Add({TagOf(report, name).text(), StaysAs(report, name.image),
               std::string(ToString(outcome.kind)),
               outcome.detail.empty() ? "rule \"" + name.rule + "\" drops it" : outcome.detail});
  }
  return table.Render(with_header) + (with_header ? "\n" : "");
}

std::string TagsSummary(const Report& report) {
  if (report.untagged.empty()) return {};
  const auto done = report.dry_run ? OutcomeKind::kWouldRemove : OutcomeKind::kRemoved;
  std::string text = std::string(report.dry_run ? "; would drop " : "; dropped ") +
                     document::Count(Count(report, done), "tag");
  for (const auto& [kind, word] : {std::pair{OutcomeKind::kSpared, "spared"},
                                   {OutcomeKind::kFailed, "failed"},
                                   {OutcomeKind::kStillListed, "still listed"}})
    if (const auto count = Count(report, kind); count > 0)
      text += ", " + std::to_string(count) + " " + word;
  return text;
}

std::string TagsThatGo(const Report& report, std::uint32_t image) {
  std::string text;
  for (const NameToDrop& name : report.plan.untags)
    if (name.image == image)
      text += "  tag goes " + Printable(TagOf(report, name).text()) + " (rule \"" +
              Printable(name.rule) + "\")\n";
  return text;
}

}  // namespace imagesweep
