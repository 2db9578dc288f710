#include "agent/gc/plan/workload_needs.h"

#include <algorithm>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "agent/model/template_images.h"

namespace imagesweep {
namespace {

// An image, and the position of a reference that resolves to it.
struct Use {
  ImagePos image;
  std::uint32_t reference;
};

// True if `a` is the better evidence.  Not by the position in the list, because verdicts do not
// depend on it.
bool TellsMore(const Observation& seen, const WorkloadNeed& a, const WorkloadNeed& b) {
  if (a.counts != b.counts) return a.counts;
  const WorkloadReference& left = seen.workloads[a.reference];
  const WorkloadReference& right = seen.workloads[b.reference];
  if (left.revisions_back != right.revisions_back)
    return left.revisions_back < right.revisions_back;
  return left < right;
}

std::vector<Use> FindUses(const Observation& seen, const ImageIndex& index) {
  std::vector<Use> uses;
  uses.reserve(seen.workloads.size());
  std::vector<ImagePos> found;
  ImageReference text;
  for (std::uint32_t at = 0; at < seen.workloads.size(); ++at) {
    const std::string& its = seen.workloads[at].text;
    if (at == 0 || its != text.text) {
      text.text = its;
      index.ResolveInto(text, found);
    }
    for (const ImagePos image : found) uses.push_back({image, at});
  }
  return uses;
}

// True if a pod of this node names a digest that no template names: something pins digests in this
// cluster, and may go on with a digest whose tag has moved (signed or locked versions).
bool AdmissionPinsDigests(const Observation& seen) {
  std::unordered_set<std::string_view> of_templates;
  for (const WorkloadReference& reference : seen.workloads)
    if (const auto at = reference.text.find('@'); at != std::string::npos)
      of_templates.insert(std::string_view(reference.text).substr(at));
  return std::ranges::any_of(seen.references, [&](const ImageReference& reference) {
    const auto at = reference.text.find('@');
    return reference.by.kind == ImageUserKind::kPod && reference.chosen &&
           at != std::string::npos &&
           !of_templates.contains(std::string_view(reference.text).substr(at));
  });
}

}  // namespace

bool Counts(const KeepWorkloads& keep, const WorkloadReference& reference) {
  return reference.revisions_back <= keep.rollback_revisions &&
         (keep.scaled_to_zero || !reference.scaled_to_zero) &&
         (keep.cron_jobs || reference.kind != "CronJob");
}

bool OfOneWorkload(const WorkloadReference& a, const WorkloadReference& b) {
  return a.name == b.name && a.workload_namespace == b.workload_namespace && a.kind == b.kind;
}

bool BeforeWorkload(const WorkloadReference& a, const WorkloadReference& b) {
  if (const auto order = a.kind <=> b.kind; order != 0) return order < 0;
  if (const auto order = a.workload_namespace <=> b.workload_namespace; order != 0)
    return order < 0;
  return a.name < b.name;
}

WorkloadNeeds::WorkloadNeeds(const KeepWorkloads& keep, const Observation& seen,
                             const ImageIndex& index) {
  if (!keep.enabled || seen.workloads.empty()) return;
  AddNeeds(keep, seen, index);
  AddPossibleNeeds(keep, seen);
}

void WorkloadNeeds::AddNeeds(const KeepWorkloads& keep, const Observation& seen,
                             const ImageIndex& index) {
  const auto& workloads = seen.workloads;
  const std::vector<Use> uses = FindUses(seen, index);
  std::vector<std::uint32_t> next(seen.images.size() + 1);
  for (const Use& use : uses) ++next[use.image.value() + 1];
  for (std::size_t i = 1; i < next.size(); ++i) next[i] += next[i - 1];
  const auto begin = next;
  std::vector<std::uint32_t> sorted(uses.size());
  for (const Use& use : uses) sorted[next[use.image.value()]++] = use.reference;

  const auto by_workload = [&](std::uint32_t a, std::uint32_t b) {
    return BeforeWorkload(workloads[a], workloads[b]);
  };
  needs_.reserve(uses.size());
  begin_.reserve(begin.size());
  begin_.push_back(0);
  for (std::size_t image = 0; image < seen.images.size(); ++image) {
    const std::span its(sorted.data() + begin[image], begin[image + 1] - begin[image]);
    if (!std::ranges::is_sorted(its, by_workload)) std::ranges::sort(its, by_workload);
    for (const auto reference : its) {
      const WorkloadReference& one = workloads[reference];
      const WorkloadNeed need{reference, one.revisions_back, Counts(keep, one)};
      if (needs_.size() == begin_.back() ||
          !OfOneWorkload(workloads[needs_.back().reference], one)) {
        needs_.push_back(need);
        continue;
      }
      WorkloadNeed& known = needs_.back();
      const int latest = std::min(known.revisions_back, need.revisions_back);
      if (TellsMore(seen, need, known)) known = need;
      known.revisions_back = latest;
    }
    begin_.push_back(static_cast<std::uint32_t>(needs_.size()));
  }
}

// One need for each image is enough, because a template may lead to many images.
void WorkloadNeeds::AddPossibleNeeds(const KeepWorkloads& keep, const Observation& seen) {
  ByImage<std::span<const ImageName>> lost_tags(seen.images.size());
  if (!AdmissionPinsDigests(seen))
    for (const ImagePos at : Positions(lost_tags)) lost_tags[at] = seen.ages[at].lost_tags;
  const TemplateImages images(seen.images, std::move(lost_tags), seen.short_name_aliases);
  possible_.resize(seen.images.size());
  std::vector<ImagePos> found;
  for (std::uint32_t at = 0; at < seen.workloads.size(); ++at) {
    const WorkloadReference& reference = seen.workloads[at];
    if (at == 0 || reference.text != seen.workloads[at - 1].text)
      images.FindInto(reference.text, found);
    const WorkloadNeed need{at, reference.revisions_back, Counts(keep, reference)};
    for (const ImagePos image : found)
      if (!possible_[image] || TellsMore(seen, need, *possible_[image])) possible_[image] = need;
  }
}

bool WorkloadNeeds::named(ImagePos image) const {
  return std::ranges::any_of(of(image), &WorkloadNeed::counts);
}

const WorkloadNeed* WorkloadNeeds::PossibleNeed(ImagePos image) const {
  return possible_.Has(image) && possible_[image] ? &*possible_[image] : nullptr;
}

bool WorkloadNeeds::wanted(ImagePos image) const {
  const WorkloadNeed* const possible = PossibleNeed(image);
  return named(image) || (possible != nullptr && possible->counts);
}

}  // namespace imagesweep
