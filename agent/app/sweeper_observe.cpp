#include <algorithm>
#include <iterator>
#include <utility>

#include "agent/app/image_disks.h"
#include "agent/app/layer_figures.h"
#include "agent/app/sweeper.h"
#include "agent/app/tag_watch.h"
#include "agent/plan/fullest_disk.h"
#include "agent/plan/scene.h"

// What a run looks at, in the order in which it must be read.

namespace imagesweep {
namespace {

std::string Describe(const NodeLabels& labels) {
  std::string text;
  for (const auto& [name, value] : labels)
    text.append(text.empty() ? "" : ",").append(name).append("=").append(value);
  return text;
}

void ApplyOverride(const Evidence& evidence, Report& report) {
  if (report.in_force.overrides.empty()) return;
  if (!evidence.pods) {
    report.warnings.emplace_back(
        "the policy has overrides by node labels; without Kubernetes the labels are not known, and "
        "none of them holds");
    return;
  }
  const Override* const found = report.in_force.OverrideFor(evidence.pods->node_labels);
  if (found == nullptr) return;
  report.override_for = Describe(found->node_selector);
  report.in_force = Policy(*found->policy);
}

}  // namespace

// Images first, references last: what comes into use in between is then seen as used.  The other
// order would remove an image that was just pulled.
std::optional<Refusal> Sweeper::ReadEvidence(View& view, const std::stop_token& stop) {
  Evidence& evidence = view.evidence;
  auto identity = parts_.runtime.Identity(stop);
  if (!identity) return Refusal{"runtime", std::move(identity).error()};
  evidence.runtime = *std::move(identity);
  auto images = parts_.runtime.ListImages(stop);
  if (!images) return Refusal{"images", std::move(images).error()};
  evidence.images = *std::move(images);
  if (auto refusal = ReadLayers(view, stop)) return refusal;
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

// Between the images and their users, like everything that says something about images.  Who has
// these services has containers that the CRI does not list: not to see them is not to have none.
std::optional<Refusal> Sweeper::ReadLayers(View& view, const std::stop_token& stop) {
  if (parts_.layers == nullptr) return std::nullopt;
  auto graph = parts_.layers->Read(view.evidence.images, stop);
  if (!graph && graph.error().kind == ErrorKind::kNotFound) return std::nullopt;
  if (!graph) return Refusal{"containers", std::move(graph).error()};
  if (const auto* part = (*graph)->world().UnreadOfCri(layers::Unread::What::kHolders))
    return Refusal{"containers",
                   {ErrorKind::kIncomplete, "containerd was read only in part: " + part->why}};
  view.graph = *std::move(graph);
  return std::nullopt;
}

// What only the cluster's workloads need cannot be told from what nothing needs.
std::optional<Refusal> Sweeper::ReadWorkloads(Report& report, Evidence& evidence,
                                              const std::stop_token& stop) {
  if (!report.in_force.keep.workloads.enabled) return std::nullopt;
  if (parts_.workloads == nullptr && parts_.pods == nullptr)
    return Refusal{"workloads",
                   {ErrorKind::kInvalid,
                    "keep.workloads needs a cluster: take it out of the policy, or give "
                    "--kubeconfig in place of --without-kubernetes"}};
  if (parts_.workloads == nullptr)
    return Refusal{"workloads",
                   {ErrorKind::kInvalid,
                    "keep.workloads.enabled is true, and nothing here reads the cluster's "
                    "workloads; give --workloads=direct or index (chart: workloads.mode)"}};
  auto read = parts_.workloads->Read(SteadyTime::min(), stop);
  if (!read) return Refusal{"workloads", std::move(read).error()};
  report.observation.workloads = read->references;
  evidence.workloads = *std::move(read);
  return std::nullopt;
}

// The one of the image filesystems that matters: for `room` that with the least of it.
std::optional<DiskUsage> Sweeper::ReadDisk(std::uint64_t room, Report& report,
                                           const std::stop_token& stop) {
  ImageDisks read = ReadImageDisks(parts_.runtime, parts_.filesystem, stop);
  for (const std::string& problem : read.problems)
    report.warnings.push_back((read.disks.empty()
                                   ? "disk use is not known, so nothing goes for space: "
                                   : "the use of one image filesystem is not known: ") +
                              problem);
  return room > 0 ? SmallestFreeDisk(read.disks) : FullestDisk(report.in_force.disk, read.disks);
}

// The same one again, or what came before and after could not be compared.
std::optional<DiskUsage> Sweeper::DiskAfter(Report& report, const std::stop_token& stop) {
  const auto& before = report.observation.disk;
  if (!before) return ReadDisk(report.plan.room, report, stop);
  if (report.Count(OutcomeKind::kRemoved) > 0) parts_.filesystem.Settle(before->mountpoint);
  auto after = parts_.filesystem.Stat(before->mountpoint);
  if (after) return *std::move(after);
  report.warnings.push_back("disk use after the run is not known: " + after.error().what);
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
  seen.references = evidence.AllReferences();
  seen.sandbox_images = evidence.use.sandbox_images;
  const auto& own_pod = gate_.expected().own_pod;
  if (own_pod) seen.own_images = OwnImages(evidence.use, *own_pod);
  report.runtime = evidence.runtime;
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
  // Only a view that was believed may age an image.
  auto used_since = in_use;
  std::vector<ImageReference> recent;
  if (recent_) {
    recent = recent_();
    const auto recently = ReferencedImages(*index, seen.images.size(), recent);
    for (std::size_t at = 0; at < used_since.size(); ++at)
      used_since[at] = used_since[at] || recently[at];
  }
  // Who was away for longer than an agent should knows nothing of that time; and who only looks
  // must not make the agent believe that it was watched.
  const bool acts_by_hand = !options.running_for && options.dry_run == false;
  if (!acts_by_hand) parts_.ledger.LimitGaps(2 * report.in_force.interval);
  ObserveAges(parts_.ledger,
              WatchedTags(report, view.graph != nullptr && parts_.name_remover != nullptr), recent,
              std::move(used_since), seen);
  for (const std::string& warning : parts_.ledger.warnings()) report.warnings.push_back(warning);
  seen.disk = ReadDisk(options.room, report, stop);
  seen.unavailable.reserve(seen.images.size());
  for (const Image& image : seen.images)
    seen.unavailable.push_back(executor_.WhyUnavailable(image.id));
  return std::nullopt;
}

}  // namespace imagesweep
