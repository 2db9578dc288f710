#include "agent/app/tag_watch.h"

#include <algorithm>
#include <string>
#include <unordered_map>
#include <utility>

#include "agent/model/tag_index.h"
#include "agent/plan/untag.h"

namespace imagesweep {
namespace {

const ImageName& NameOf(const Report& report, const NameToDrop& name) {
  return report.observation.images[name.image].tags[name.tag];
}

// The images, then the tags of seen.tag_ages in their order.  A tag that moves to another image
// begins anew.
std::vector<Image> LedgerEntries(const Observation& seen) {
  std::unordered_map<std::string_view, const Image*> image_of;
  for (const Image& image : seen.images)
    for (const ImageName& tag : image.tags) image_of.emplace(tag.text(), &image);
  std::vector<Image> entries = seen.images;
  for (const auto& [tag, age] : seen.tag_ages) {
    Image entry;
    entry.id = LedgerIdOf(tag, image_of.at(tag)->id.text());
    entries.push_back(std::move(entry));
  }
  return entries;
}

}  // namespace

ImageId LedgerIdOf(const std::string& tag, const std::string& image_id) {
  return ImageId("tag:" + tag + "@" + image_id);
}

std::vector<ImageName> WatchedTags(Report& report, bool can_be_taken) {
  if (can_be_taken) return TagsToWatch(report.observation.images);
  if (AsksToUntag(report.in_force))
    report.warnings.emplace_back(
        "a rule asks for Untag, and this runtime does not let one tag of an image go alone; "
        "containerd does");
  return {};
}

void ObserveAges(Ledger& ledger, const std::vector<ImageName>& tags,
                 const std::vector<ImageReference>& recent, std::vector<bool> used,
                 Observation& seen) {
  if (tags.empty()) {
    seen.ages = ledger.Observe(seen.images, used);
    return;
  }
  for (const ImageName& tag : tags) seen.tag_ages[tag.text()];
  std::vector<ImageName> names;
  for (const auto& [tag, age] : seen.tag_ages) names.push_back(ImageName::Parse(tag));
  const TagIndex index(names);
  const std::size_t images = seen.images.size();
  used.resize(images + names.size());
  for (const auto* references : {&std::as_const(seen.references), &recent})
    for (const ImageReference& reference : *references)
      for (const auto at : index.NamedBy(reference)) used[images + at] = true;
  for (const WorkloadReference& workload : seen.workloads)
    for (const auto at : index.NamedBy({workload.text, {}, {}})) used[images + at] = true;
  std::vector<ImageAge> ages = ledger.Observe(LedgerEntries(seen), used);
  auto age_of_tag = ages.begin() + static_cast<std::ptrdiff_t>(images);
  for (auto& [tag, age] : seen.tag_ages) age = *age_of_tag++;
  ages.resize(images);
  seen.ages = std::move(ages);
}

std::vector<int> CountEvaluations(Report& report, Ledger& ledger) {
  const Observation& seen = report.observation;
  Plan& plan = report.plan;
  const std::size_t images = seen.images.size();
  std::vector<bool> to_go(images + seen.tag_ages.size());
  for (const auto at : plan.removals) to_go[at] = true;
  const auto entry_of = [&](const NameToDrop& name) {
    const auto found = seen.tag_ages.find(NameOf(report, name).text());
    return images + static_cast<std::size_t>(std::distance(seen.tag_ages.begin(), found));
  };
  for (const NameToDrop& name : plan.untags) to_go[entry_of(name)] = true;
  std::vector<int> counts = seen.tag_ages.empty()
                                ? ledger.CountCandidates(seen.images, to_go)
                                : ledger.CountCandidates(LedgerEntries(seen), to_go);
  const int needed = report.in_force.limits.confirm_runs;
  std::erase_if(plan.untags, [&](const NameToDrop& name) {
    const int so_far = counts[entry_of(name)];
    if (so_far < needed)
      plan.tags_that_stay.push_back({name.image, name.tag, name.rule,
                                     "so far in " + std::to_string(so_far) + " of " +
                                         std::to_string(needed) +
                                         " evaluations in a row (limits.confirmRuns)"});
    return so_far < needed;
  });
  counts.resize(images);
  return counts;
}

std::unordered_set<std::string_view> DroppedNames(const Report& report) {
  std::unordered_set<std::string_view> names;
  for (const NameOutcome& outcome : report.untagged)
    if (outcome.kind == OutcomeKind::kRemoved)
      names.insert(NameOf(report, report.plan.untags[outcome.untag]).text());
  return names;
}

void VerifyNames(Report& report, const std::vector<Image>& listed) {
  for (NameOutcome& outcome : report.untagged) {
    if (outcome.kind != OutcomeKind::kRemoved) continue;
    const NameToDrop& name = report.plan.untags[outcome.untag];
    const ImageName& tag = NameOf(report, name);
    const auto now =
        std::ranges::find(listed, report.observation.images[name.image].id, &Image::id);
    if (now == listed.end() || std::ranges::find(now->tags, tag) == now->tags.end()) continue;
    outcome.kind = OutcomeKind::kStillListed;
    outcome.detail = "the runtime reported success and lists it all the same";
  }
}

}  // namespace imagesweep
