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

// What the image is called without the tags that go, in the same repository if it can be.
std::string StaysAs(const Report& report, const NameToDrop& dropped) {
  const Image& image = report.observation.images[dropped.image];
  const ImageName* stays = nullptr;
  for (const ImageName& tag : image.tags) {
    const bool goes = std::ranges::any_of(report.plan.untags, [&](const NameToDrop& name) {
      return name.image == dropped.image && TagOf(report, name) == tag;
    });
    const bool same = tag.repository() == TagOf(report, dropped).repository();
    if (!goes && (stays == nullptr || (same && stays->repository() != tag.repository())))
      stays = &tag;
  }
  return stays == nullptr ? image.id.text() : stays->text();
}

// With its image a tag goes without a rule for it.
bool GoesWithItsImage(const Report& report, const TagThatStays& tag) {
  return report.plan.decisions[tag.image].verdict == Verdict::kRemove;
}

std::size_t Count(const Report& report, OutcomeKind kind) {
  return static_cast<std::size_t>(std::ranges::count(report.untagged, kind, &NameOutcome::kind));
}

}  // namespace

std::string PlannedTagsText(const Report& report, bool with_header) {
  const auto& tags = report.plan.tags_that_stay;
  const auto stay = static_cast<std::size_t>(std::ranges::count_if(
      tags, [&](const TagThatStays& tag) { return !GoesWithItsImage(report, tag); }));
  std::string staying =
      stay == 0 || !with_header
          ? std::string()
          : "\n" + document::Count(stay, "tag") +
                " that a rule would drop stay; `imagesweep explain NAME` says why.\n";
  if (report.plan.untags.empty()) return staying;
  Table table({"TAG", "STAYS-AS", "RULE"});
  for (const NameToDrop& name : report.plan.untags)
    table.Add({TagOf(report, name).text(), StaysAs(report, name), name.rule});
  if (!with_header) return table.Render(false);
  return "\nTags to drop; their images stay, and nothing comes free:\n" + table.Render() + staying;
}

std::string DroppedTagsText(const Report& report, bool with_header) {
  if (report.untagged.empty()) return {};
  Table table({"TAG", "STAYS-AS", "OUTCOME", "REASON"});
  for (const NameOutcome& outcome : report.untagged) {
    const NameToDrop& name = report.plan.untags[outcome.untag];
    table.Add({TagOf(report, name).text(), StaysAs(report, name),
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

std::string TagsText(const Report& report, std::uint32_t image) {
  std::string text;
  for (const NameToDrop& name : report.plan.untags)
    if (name.image == image)
      text += "  tag goes " + Printable(TagOf(report, name).text()) + " (rule \"" +
              Printable(name.rule) + "\")\n";
  for (const TagThatStays& tag : report.plan.tags_that_stay)
    if (tag.image == image && !GoesWithItsImage(report, tag))
      text += "  stays    " + Printable(report.observation.images[image].tags[tag.tag].text()) +
              ", which rule \"" + Printable(tag.rule) + "\" would drop: " + Printable(tag.why) +
              "\n";
  return text;
}

}  // namespace imagesweep
