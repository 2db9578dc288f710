#include "agent/gc/observe/observer.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "agent/gc/observe/image_filesystem.h"
#include "agent/gc/observe/layer_figures.h"
#include "agent/gc/observe/unlisted_use.h"
#include "agent/gc/plan/order.h"
#include "agent/gc/plan/plan_context.h"
#include "agent/imagestore/graph/record_names.h"
#include "agent/model/recent_use.h"

namespace imagesweep {
namespace {

constexpr const char* kNoAgentWatched =
    "ages: no agent has watched the use of images since the last run, so no image is old enough "
    "for minimumAge; start the agent, or set --count-unwatched to count this time as time without "
    "a use, or --minimum-age=0s to ignore ages";
constexpr const char* kAgentDoesNotWatch =
    "ages: the agent cannot watch the use of images, so no image is old enough for minimumAge: the "
    "events of the runtime or the pods cannot be watched, or the runtime has no events; set "
    "--count-unwatched to count this time as time without a use";

Expectations Expect(std::optional<OwnPod> own_pod) {
  Expectations expected;
  expected.own_pod = std::move(own_pod);
  return expected;
}

std::string Describe(const NodeLabels& labels) {
  std::string text;
  for (const auto& [name, value] : labels)
    text.append(text.empty() ? "" : ",").append(name).append("=").append(value);
  return text;
}

void ApplyOverride(NodeState& state) {
  if (state.policy.overrides.empty()) return;
  if (!state.evidence.pods) {
    state.warnings.emplace_back(
        "overrides by node labels are ignored, because the labels are not known without "
        "Kubernetes");
    return;
  }
  const Override* const found = state.policy.OverrideFor(state.evidence.pods->node_labels);
  if (found == nullptr) return;
  state.matched_override = Describe(found->node_selector);
  state.policy = Policy(*found->policy);
}

// The plan evaluates every name that a removal deletes.  The recheck compares images as the runtime
// lists them.
void AddRecordNames(const layers::LayerGraph& graph, ByImage<Image>& images) {
  for (const ImagePos at : Positions(images))
    if (at.value() < graph.size())
      std::ranges::move(layers::NamesBesideTheCri(images[at], graph.Records(at)),
                        std::back_inserter(images[at].tags));
}

// Moves the references of images that were pulled again out of `recent`, without their mark.
std::vector<ImageReference> TakeCameAgain(std::vector<ImageReference>& recent) {
  const auto marked = std::ranges::stable_partition(
      recent, [](const ImageReference& one) { return !one.text.starts_with(kCameAgain); });
  std::vector<ImageReference> again(std::move_iterator(marked.begin()),
                                    std::move_iterator(marked.end()));
  recent.erase(marked.begin(), marked.end());
  for (ImageReference& reference : again) reference.text.erase(0, kCameAgain.size());
  return again;
}

void Summarize(const Evidence& evidence, SteadyTime now, EvidenceSummary& summary) {
  summary.containers = evidence.use.containers;
  if (!evidence.pods) return;
  summary.pods = evidence.pods->pods.size();
  summary.unfinished_pods = evidence.pods->unfinished;
  summary.ready_pods = evidence.pods->ready;
  summary.resource_version = evidence.pods->resource_version;
  summary.pods_age_seconds = std::chrono::duration<double>(now - evidence.pods->listed_at).count();
}

}  // namespace

Observer::Observer(const NodeDependencies& node, std::optional<OwnPod> own_pod,
                   RecentReferences recent)
    : node_(node), recent_(std::move(recent)), gate_(Expect(std::move(own_pod))) {}

std::unique_ptr<const NodeState> Observer::Observe(const Policy& policy, SystemTime at,
                                                   const Options& options,
                                                   const std::stop_token& stop) {
  auto state = std::make_unique<NodeState>();
  state->policy = policy;
  state->summary.without_kubernetes = node_.pods == nullptr;
  state->refused = Read(*state, at, options, stop);
  return state;
}

std::optional<Refusal> Observer::Read(NodeState& state, SystemTime at, const Options& options,
                                      const std::stop_token& stop) {
  if (auto refusal = ReadEvidence(state, stop)) return refusal;
  const Evidence& evidence = state.evidence;
  state.index.emplace(evidence.images, evidence.runtime.has_short_name_aliases());
  Observation& seen = state.seen;
  seen.at = at;
  seen.images = evidence.images;
  if (state.graph) AddRecordNames(*state.graph, seen.images);
  seen.references = evidence.AllReferences();
  seen.short_name_aliases = evidence.runtime.has_short_name_aliases();
  seen.sandbox_images = evidence.use.sandbox_images;
  if (const auto& own_pod = expected().own_pod) seen.own_images = OwnImages(evidence.use, *own_pod);
  std::ranges::copy(evidence.use.warnings, std::back_inserter(state.warnings));
  Summarize(evidence, node_.clock.Steady(), state.summary);

  // Without aliases: an image that a pod only may mean is kept, but is not seen in use.
  std::optional<ImageIndex> without_aliases;
  if (seen.short_name_aliases) without_aliases.emplace(evidence.images);
  const ImageIndex& named = without_aliases ? *without_aliases : *state.index;
  const auto in_use = ReferencedImages(named, seen.images.size(), seen.references);
  const auto referenced = static_cast<std::size_t>(std::ranges::count(in_use, true));
  if (auto refusal = gate_.Check(evidence, named, referenced, node_.clock.Steady())) return refusal;
  state.referenced_images = referenced;

  ApplyOverride(state);
  if (auto refusal = ReadWorkloads(state, stop)) return refusal;
  // Only an observation that passed the gate may age an image.
  ReadAges(state, named, in_use, options.by_agent);
  seen.disk = ReadDisk(state.policy, options.free_space_target, state.warnings, stop);
  seen.unavailable.reserve(seen.images.size());
  for (const Image& image : seen.images)
    seen.unavailable.push_back(options.why_unavailable ? options.why_unavailable(image.id) : "");
  return std::nullopt;
}

// Images first, references last: an image that comes into use in between is then seen as used.  The
// other order would remove an image that was just pulled.
std::optional<Refusal> Observer::ReadEvidence(NodeState& state, const std::stop_token& stop) {
  Evidence& evidence = state.evidence;
  auto identity = node_.runtime.Identity(stop);
  if (!identity) return Refusal{"runtime", std::move(identity).error()};
  evidence.runtime = *std::move(identity);
  auto images = node_.runtime.ListImages(stop);
  if (!images) return Refusal{"images", std::move(images).error()};
  evidence.images = ByImage<Image>(*std::move(images));
  if (auto refusal = ReadLayers(state, stop)) return refusal;
  if (node_.origins != nullptr) {
    ByImage<Image> named = evidence.images;
    if (state.graph) AddRecordNames(*state.graph, named);
    state.warnings = node_.origins->Fill(named, evidence.runtime, stop);
    for (const ImagePos at : Positions(named))
      evidence.images[at].origin = std::move(named[at].origin);
  }
  auto use = node_.runtime.ReadUse(stop);
  if (!use) return Refusal{"containers", std::move(use).error()};
  evidence.use = *std::move(use);
  // Docker lists what all containers mount.
  if (state.graph && evidence.runtime.name == "cri-o" &&
      MissesAllContainers(*state.graph, evidence.use))
    return Refusal{
        "containers",
        {ErrorKind::kIncomplete,
         "the image store of the runtime lists none of its containers, so it may not "
         "list those of Podman either, which can mount images; imagesweep does not support "
         "transient_store and imagestore in the storage.conf of the runtime"}};
  if (state.graph) AddUnlistedUse(*state.graph, evidence.images, evidence.use);
  if (node_.pods == nullptr) return std::nullopt;
  auto pods = node_.pods->Read(Millis::zero(), stop);
  if (!pods) return Refusal{"pods", std::move(pods).error()};
  evidence.pods = *std::move(pods);
  return std::nullopt;
}

// Read between the images and their users, like everything about images.  A runtime with these
// services may have containers that the CRI does not list, so a failed read aborts the run.
std::optional<Refusal> Observer::ReadLayers(NodeState& state, const std::stop_token& stop) {
  if (node_.layers == nullptr) return std::nullopt;
  auto graph = node_.layers->Read(state.evidence.images, stop);
  if (!graph && graph.error().kind == ErrorKind::kNotFound) return std::nullopt;
  if (!graph) return Refusal{"containers", std::move(graph).error()};
  const layers::MetadataSnapshot& metadata = (*graph)->metadata();
  if (const auto* part = metadata.UnreadOfCri(layers::Unread::What::kHolders);
      part != nullptr && metadata.records_of() == layers::RecordsOf::kCri)
    return Refusal{"containers",
                   {ErrorKind::kIncomplete, "containerd was read only in part: " + part->why}};
  if (std::string why = (*graph)->WhyMountsAreUnknown(); !why.empty()) {
    if (metadata.records_of() == layers::RecordsOf::kCri)
      why.insert(0, "containerd was read only in part: ");
    return Refusal{"containers", {ErrorKind::kIncomplete, std::move(why)}};
  }
  state.graph = *std::move(graph);
  return std::nullopt;
}

// Without the workloads, an image that only a workload needs looks unneeded, so a failed read
// aborts the run.  A host without a cluster has no workloads.
std::optional<Refusal> Observer::ReadWorkloads(NodeState& state, const std::stop_token& stop) {
  KeepWorkloads& keep = state.policy.keep.workloads;
  if (node_.workloads == nullptr && node_.pods == nullptr) keep.enabled = false;
  if (!keep.enabled) return std::nullopt;
  const std::string pods_alone =
      "; or set keep.workloads.enabled: false in the policy, so that only pods keep images";
  if (node_.workloads == nullptr)
    return Refusal{"workloads",
                   {ErrorKind::kInvalid,
                    "keep.workloads.enabled is true (the default), but the workloads of the "
                    "cluster are not read; set --workloads=direct or --workloads=index (chart: "
                    "workloads.mode)" +
                        pods_alone}};
  auto read = node_.workloads->Read(SteadyTime::min(), stop);
  if (!read) {
    Error why = std::move(read).error();
    if (why.kind == ErrorKind::kDenied) why.what += pods_alone;
    return Refusal{"workloads", std::move(why)};
  }
  state.seen.workloads = read->references;
  state.evidence.workloads = *std::move(read);
  return std::nullopt;
}

void Observer::ReadAges(NodeState& state, const ImageIndex& index, const ByImage<bool>& in_use,
                        bool by_agent) {
  Observation& seen = state.seen;
  auto used_since = in_use;
  ByImage<bool> came_again(seen.images.size());
  if (recent_) {
    auto recent = recent_();
    const auto again = TakeCameAgain(recent);
    came_again = ReferencedImages(index, seen.images.size(), again);
    // The state file tells later runs; without one, only a use is remembered.
    if (!node_.age_store.durable()) std::ranges::copy(again, std::back_inserter(recent));
    const auto recently = ReferencedImages(index, seen.images.size(), recent);
    for (const ImagePos at : Positions(used_since)) used_since[at] = used_since[at] || recently[at];
  }
  const auto& pods = state.evidence.pods;
  node_.age_store.SetNodeUid(pods ? pods->node_uid : "");
  seen.ages = ByImage<ImageAge>(node_.age_store.Observe(seen.images, used_since));
  for (const ImagePos at : Positions(seen.ages))
    if (came_again[at]) seen.ages[at].unused_for = seen.ages[at].watched_unused_for = Millis(0);
  for (const std::string& warning : node_.age_store.warnings()) state.warnings.push_back(warning);
  if (node_.age_store.unwatched() && state.policy.minimum_age > Millis::zero())
    state.warnings.emplace_back(by_agent ? kAgentDoesNotWatch : kNoAgentWatched);
}

// The image filesystem that matters: the fullest, or with a free-space target the one with the
// least free space.
std::optional<DiskUsage> Observer::ReadDisk(const Policy& policy, std::uint64_t free_space_target,
                                            std::vector<std::string>& warnings,
                                            const std::stop_token& stop) {
  ImageDisks read = ReadImageDisks(node_.runtime, node_.filesystem, stop);
  for (const std::string& problem : read.problems)
    warnings.push_back((read.disks.empty()
                            ? "cannot determine the disk usage, so no image is removed to "
                              "free space: "
                            : "cannot determine the usage of one image filesystem: ") +
                       problem);
  return free_space_target > 0 ? SmallestFreeDisk(read.disks)
                               : FullestDisk(policy.disk, read.disks);
}

// The same file system as before, so that before and after can be compared.
std::optional<DiskUsage> Observer::DiskAfter(const NodeState& before, const Options& options,
                                             bool removed, std::vector<std::string>& warnings,
                                             const std::stop_token& stop) {
  const auto& disk = before.seen.disk;
  if (!disk) return ReadDisk(before.policy, options.free_space_target, warnings, stop);
  if (removed) node_.filesystem.Sync(disk->mountpoint);
  auto after = node_.filesystem.Stat(disk->mountpoint);
  if (after) return *std::move(after);
  warnings.push_back("cannot determine the disk usage after the run: " + after.error().what);
  return std::nullopt;
}

}  // namespace imagesweep
