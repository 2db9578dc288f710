#include <algorithm>
#include <iterator>
#include <utility>

#include "agent/gc/observe/image_filesystem.h"
#include "agent/gc/observe/layer_figures.h"
#include "agent/gc/plan/order.h"
#include "agent/gc/plan/plan_context.h"
#include "agent/gc/sweeper.h"
#include "agent/imagestore/graph/record_names.h"
#include "agent/model/recent_use.h"

// The observation of a run, in the order in which the sources must be read.

namespace imagesweep {
namespace {

constexpr const char* kNobodyWatched =
    "ages: no agent has watched the use of images since the last run, so no image is old enough "
    "for minimumAge; start the agent, or set --count-unwatched to count this time as time without "
    "a use, or --minimum-age=0s to ignore ages";
constexpr const char* kAgentDoesNotWatch =
    "ages: the agent cannot watch the use of images, so no image is old enough for minimumAge: the "
    "events of the runtime or the pods cannot be watched, or the runtime has no events; set "
    "--count-unwatched to count this time as time without a use";

std::string Describe(const NodeLabels& labels) {
  std::string text;
  for (const auto& [name, value] : labels)
    text.append(text.empty() ? "" : ",").append(name).append("=").append(value);
  return text;
}

void ApplyOverride(const Evidence& evidence, Report& report) {
  if (report.effective_policy.overrides.empty()) return;
  if (!evidence.pods) {
    report.warnings.emplace_back(
        "overrides by node labels are ignored, because the labels are not known without "
        "Kubernetes");
    return;
  }
  const Override* const found = report.effective_policy.OverrideFor(evidence.pods->node_labels);
  if (found == nullptr) return;
  report.matched_override = Describe(found->node_selector);
  report.effective_policy = Policy(*found->policy);
}

// The plan evaluates every name that a removal deletes.  The recheck compares images as the runtime
// lists them.
void AddRecordNames(const layers::LayerGraph& graph, std::vector<Image>& images) {
  for (std::uint32_t at = 0; at < images.size() && at < graph.size(); ++at)
    std::ranges::move(layers::NamesBesideTheCri(images[at], graph.Records(at)),
                      std::back_inserter(images[at].tags));
}

// Moves the references of images that were pulled again out of `recent`, without their mark.
std::vector<ImageReference> TakeCameAgain(std::vector<ImageReference>& recent) {
  std::vector<ImageReference> again;
  for (ImageReference& reference : recent) {
    if (!reference.text.starts_with(kCameAgain)) continue;
    reference.text.erase(0, kCameAgain.size());
    again.push_back(std::move(reference));
    reference.text = kCameAgain;
  }
  std::erase_if(recent, [](const ImageReference& one) { return one.text == kCameAgain; });
  return again;
}

}  // namespace

// Images first, references last: an image that comes into use in between is then seen as used.  The
// other order would remove an image that was just pulled.
std::optional<Refusal> Sweeper::ReadEvidence(View& view, const std::stop_token& stop) {
  Evidence& evidence = view.evidence;
  auto identity = parts_.runtime.Identity(stop);
  if (!identity) return Refusal{"runtime", std::move(identity).error()};
  evidence.runtime = *std::move(identity);
  auto images = parts_.runtime.ListImages(stop);
  if (!images) return Refusal{"images", std::move(images).error()};
  evidence.images = *std::move(images);
  if (auto refusal = ReadLayers(view, stop)) return refusal;
  if (parts_.origins != nullptr) {
    std::vector<Image> named = evidence.images;
    if (view.graph) AddRecordNames(*view.graph, named);
    view.warnings = parts_.origins->Fill(named, evidence.runtime, stop);
    for (std::size_t at = 0; at < named.size(); ++at)
      evidence.images[at].origin = std::move(named[at].origin);
  }
  auto use = parts_.runtime.ReadUse(stop);
  if (!use) return Refusal{"containers", std::move(use).error()};
  evidence.use = *std::move(use);
  if (view.graph) AddUnknownContainers(*view.graph, evidence.images, evidence.use);
  if (parts_.pods == nullptr) return std::nullopt;
  auto pods = parts_.pods->Read(Millis::zero(), stop);
  if (!pods) return Refusal{"pods", std::move(pods).error()};
  evidence.pods = *std::move(pods);
  return std::nullopt;
}

// Read between the images and their users, like everything about images.  A runtime with these
// services may have containers that the CRI does not list, so a failed read aborts the run.
std::optional<Refusal> Sweeper::ReadLayers(View& view, const std::stop_token& stop) {
  if (parts_.layers == nullptr) return std::nullopt;
  auto graph = parts_.layers->Read(view.evidence.images, stop);
  if (!graph && graph.error().kind == ErrorKind::kNotFound) return std::nullopt;
  if (!graph) return Refusal{"containers", std::move(graph).error()};
  if (const auto* part = (*graph)->metadata().UnreadOfCri(layers::Unread::What::kHolders))
    return Refusal{"containers",
                   {ErrorKind::kIncomplete, "containerd was read only in part: " + part->why}};
  view.graph = *std::move(graph);
  return std::nullopt;
}

// Without the workloads, an image that only a workload needs looks unneeded, so a failed read
// aborts the run.  A host without a cluster has no workloads.
std::optional<Refusal> Sweeper::ReadWorkloads(Report& report, Evidence& evidence,
                                              const std::stop_token& stop) {
  KeepWorkloads& keep = report.effective_policy.keep.workloads;
  if (parts_.workloads == nullptr && parts_.pods == nullptr) keep.enabled = false;
  if (!keep.enabled) return std::nullopt;
  const std::string pods_alone =
      "; or set keep.workloads.enabled: false in the policy, so that only pods keep images";
  if (parts_.workloads == nullptr)
    return Refusal{"workloads",
                   {ErrorKind::kInvalid,
                    "keep.workloads.enabled is true (the default), but the workloads of the "
                    "cluster are not read; set --workloads=direct or --workloads=index (chart: "
                    "workloads.mode)" +
                        pods_alone}};
  auto read = parts_.workloads->Read(SteadyTime::min(), stop);
  if (!read) {
    Error why = std::move(read).error();
    if (why.kind == ErrorKind::kDenied) why.what += pods_alone;
    return Refusal{"workloads", std::move(why)};
  }
  report.observation.workloads = read->references;
  evidence.workloads = *std::move(read);
  return std::nullopt;
}

// The image filesystem that matters: the fullest, or for `room` the one with the least free space.
std::optional<DiskUsage> Sweeper::ReadDisk(std::uint64_t free_space_target, Report& report,
                                           const std::stop_token& stop) {
  ImageDisks read = ReadImageDisks(parts_.runtime, parts_.filesystem, stop);
  for (const std::string& problem : read.problems)
    report.warnings.push_back((read.disks.empty()
                                   ? "cannot determine the disk usage, so no image is removed to "
                                     "free space: "
                                   : "cannot determine the usage of one image filesystem: ") +
                              problem);
  return free_space_target > 0 ? SmallestFreeDisk(read.disks)
                               : FullestDisk(report.effective_policy.disk, read.disks);
}

// The same file system as before, so that before and after can be compared.
std::optional<DiskUsage> Sweeper::DiskAfter(Report& report, const std::stop_token& stop) {
  const auto& before = report.observation.disk;
  if (!before) return ReadDisk(report.plan.free_space_target, report, stop);
  if (report.Count(OutcomeKind::kRemoved) > 0) parts_.filesystem.Sync(before->mountpoint);
  auto after = parts_.filesystem.Stat(before->mountpoint);
  if (after) return *std::move(after);
  report.warnings.push_back("cannot determine the disk usage after the run: " + after.error().what);
  return std::nullopt;
}

std::optional<Refusal> Sweeper::Observe(View& view, const SweepOptions& options, Report& report,
                                        const std::stop_token& stop) {
  if (auto refusal = ReadEvidence(view, stop)) return refusal;
  Evidence& evidence = view.evidence;
  auto& index = view.index;
  index.emplace(evidence.images);
  Observation& seen = report.observation;
  seen.at = report.started;
  seen.images = evidence.images;
  if (view.graph) AddRecordNames(*view.graph, seen.images);
  seen.references = evidence.AllReferences();
  seen.sandbox_images = evidence.use.sandbox_images;
  const auto& own_pod = gate_.expected().own_pod;
  if (own_pod) seen.own_images = OwnImages(evidence.use, *own_pod);
  report.runtime = evidence.runtime;
  std::ranges::copy(view.warnings, std::back_inserter(report.warnings));
  std::ranges::copy(evidence.use.warnings, std::back_inserter(report.warnings));
  report.evidence.containers = evidence.use.containers;
  if (evidence.pods) {
    report.node_labels = evidence.pods->node_labels;
    report.evidence.pods = evidence.pods->pods.size();
    report.evidence.unfinished_pods = evidence.pods->unfinished;
    report.evidence.ready_pods = evidence.pods->ready;
    report.evidence.resource_version = evidence.pods->resource_version;
    report.evidence.pods_age_seconds =
        std::chrono::duration<double>(parts_.clock.Steady() - evidence.pods->listed_at).count();
  }
  const auto in_use = ReferencedImages(*index, seen.images.size(), seen.references);
  const auto referenced = static_cast<std::size_t>(std::ranges::count(in_use, true));
  if (auto refusal = gate_.Check(evidence, *index, referenced, parts_.clock.Steady()))
    return refusal;
  report.referenced_images = referenced;

  ApplyOverride(evidence, report);
  if (auto refusal = ReadWorkloads(report, evidence, stop)) return refusal;
  // Only an observation that passed the gate may age an image.
  auto used_since = in_use;
  std::vector<bool> came_again(seen.images.size());
  if (recent_) {
    auto recent = recent_();
    const auto again = TakeCameAgain(recent);
    came_again = ReferencedImages(*index, seen.images.size(), again);
    // The state file tells later runs; without one, only a use is remembered.
    if (!parts_.age_store.durable()) std::ranges::copy(again, std::back_inserter(recent));
    const auto recently = ReferencedImages(*index, seen.images.size(), recent);
    for (std::size_t at = 0; at < used_since.size(); ++at)
      used_since[at] = used_since[at] || recently[at];
  }
  parts_.age_store.SetNodeUid(evidence.pods ? evidence.pods->node_uid : "");
  seen.ages = parts_.age_store.Observe(seen.images, used_since);
  for (std::size_t at = 0; at < seen.ages.size(); ++at)
    if (came_again[at]) seen.ages[at].unused_for = seen.ages[at].watched_unused_for = Millis(0);
  for (const std::string& warning : parts_.age_store.warnings()) report.warnings.push_back(warning);
  if (parts_.age_store.unwatched() && report.effective_policy.minimum_age > Millis::zero())
    report.warnings.emplace_back(options.running_for ? kAgentDoesNotWatch : kNobodyWatched);
  seen.disk = ReadDisk(options.free_space_target, report, stop);
  seen.unavailable.reserve(seen.images.size());
  for (const Image& image : seen.images)
    seen.unavailable.push_back(executor_.WhyUnavailable(image.id));
  return std::nullopt;
}

}  // namespace imagesweep
