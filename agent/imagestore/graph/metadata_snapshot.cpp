#include "agent/imagestore/graph/metadata_snapshot.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace imagesweep::layers {

namespace {

constexpr std::string_view kSnapshots = "snapshots/";
constexpr std::string_view kSource = "containerd.io/distribution.source.";
constexpr std::string_view kBuildKitNamespace = "buildkit";
// Source: moby, daemon/containerd/image_builder.go.
constexpr std::string_view kClassicParent = "org.mobyproject.image.parent";

}  // namespace

MetadataSnapshot::MetadataSnapshot(std::string_view cri_namespace, SystemTime now, GcRules rules,
                                   Disk disk)
    : now_(now), rules_(rules), disk_(disk) {
  AddNamespace(cri_namespace);
}

NamespaceId MetadataSnapshot::IdOf(std::vector<std::string>& names, std::string_view name) {
  auto at = std::ranges::find(names, name);
  if (at == names.end()) at = names.insert(names.end(), std::string(name));
  return static_cast<NamespaceId>(at - names.begin());
}

References MetadataSnapshot::Keep(Labels labels) {
  ReadLabels(labels, rules_, read_);
  conditional_ = conditional_ || read_.conditional;
  const auto first = static_cast<std::uint32_t>(references_.size());
  for (const LabelReference& its : read_.references) {
    const NamespaceId snapshotter =
        its.type == ObjectType::kSnapshot ? IdOf(snapshotters_, its.snapshotter) : NamespaceId{0};
    references_.push_back({keys_.Intern(its.key), snapshotter, its.type, its.back});
    back_ = back_ || its.back;
  }
  return {first, static_cast<std::uint32_t>(references_.size()) - first};
}

void MetadataSnapshot::AddNamespace(std::string_view name) {
  IdOf(namespaces_, name);
}

void MetadataSnapshot::AddImage(std::string_view name_space, std::string_view name,
                                std::string_view target, Labels labels) {
  ImageRecord image;
  image.space = IdOf(namespaces_, name_space);
  image.references = Keep(labels);
  image.expired = rules_.image_expiry && read_.expires && now_ > *read_.expires;
  image.name = keys_.Intern(name);
  image.target = keys_.Intern(target);
  for (const Label& label : labels)
    if (label.key == kClassicParent && !label.value.empty())
      image.parent = keys_.Intern(label.value);
  images_.push_back(image);
}

void MetadataSnapshot::AddBlob(std::string_view name_space, std::string_view digest,
                               std::uint64_t bytes, SystemTime created, Labels labels,
                               std::uint8_t inodes) {
  Blob blob;
  blob.space = IdOf(namespaces_, name_space);
  blob.references = Keep(labels);
  blob.root = read_.root;
  blob.digest = keys_.Intern(digest);
  blob.bytes = bytes;
  blob.created = created;
  blob.inodes = inodes;
  blobs_.push_back(blob);
  if (blob.space != cri_namespace()) return;
  for (const Label& label : labels)
    if (label.key.starts_with(kSource))
      source_labels_.push_back(
          {blob.digest, keys_.Intern(label.key.substr(kSource.size())), keys_.Intern(label.value)});
}

void MetadataSnapshot::AddSnapshot(std::string_view name_space, std::string_view snapshotter,
                                   std::string_view key, std::string_view parent, SnapshotKind kind,
                                   std::optional<Usage> usage, Labels labels) {
  Snapshot snapshot;
  snapshot.space = IdOf(namespaces_, name_space);
  snapshot.snapshotter = IdOf(snapshotters_, snapshotter);
  snapshot.references = Keep(labels);
  snapshot.root = read_.root;
  snapshot.key = keys_.Intern(key);
  if (!parent.empty()) snapshot.parent = keys_.Intern(parent);
  snapshot.kind = kind;
  if (usage) {
    snapshot.bytes = usage->bytes;
    snapshot.whole = usage->whole;
    constexpr std::uint64_t kMost = std::numeric_limits<std::uint32_t>::max();
    snapshot.inodes = static_cast<std::uint32_t>(std::min(usage->inodes, kMost));
  }
  snapshots_.push_back(snapshot);
}

void MetadataSnapshot::AddContainer(std::string_view name_space, std::string_view id,
                                    std::string_view image, std::string_view snapshotter,
                                    std::string_view snapshot_key, Labels labels) {
  Container container;
  container.space = IdOf(namespaces_, name_space);
  container.references = Keep(labels);
  container.id = keys_.Intern(id);
  container.image = keys_.Intern(image);
  if (!snapshotter.empty()) {
    container.snapshotter = IdOf(snapshotters_, snapshotter);
    container.snapshot = keys_.Intern(snapshot_key);
  }
  containers_.push_back(container);
}

void MetadataSnapshot::AddMount(std::string_view name_space, std::string_view snapshotter,
                                std::string_view key) {
  mounts_.push_back(
      {keys_.Intern(key), IdOf(namespaces_, name_space), IdOf(snapshotters_, snapshotter)});
}

void MetadataSnapshot::AddLease(std::string_view name_space, std::string_view id, Labels labels,
                                std::span<const LeaseResource> resources) {
  ReadLabels(labels, rules_, read_);  // the labels of a lease hold no objects
  if (read_.expires && now_ > *read_.expires) return;
  Holder lease;
  lease.space = IdOf(namespaces_, name_space);
  lease.id = keys_.Intern(id);
  lease.flat = read_.flat;
  lease.build_cache = read_.flat || read_.of_buildkit || name_space == kBuildKitNamespace;
  lease.references.first = static_cast<std::uint32_t>(references_.size());
  for (const LeaseResource& resource : resources) {
    if (resource.type == "content") {
      references_.push_back({keys_.Intern(resource.id), 0, ObjectType::kContent, false});
    } else if (resource.type == "images") {
      references_.push_back({keys_.Intern(resource.id), 0, ObjectType::kImage, false});
    } else if (resource.type.starts_with(kSnapshots)) {
      const NamespaceId snapshotter = IdOf(snapshotters_, resource.type.substr(kSnapshots.size()));
      references_.push_back({keys_.Intern(resource.id), snapshotter, ObjectType::kSnapshot, false});
    }
  }
  lease.references.count = static_cast<std::uint32_t>(references_.size()) - lease.references.first;
  holders_.push_back(lease);
}

void MetadataSnapshot::AddIngest(std::string_view name_space, std::string_view ref,
                                 std::string_view expected) {
  if (expected.empty()) return;
  Holder ingest;
  ingest.kind = Holder::Kind::kIngest;
  ingest.space = IdOf(namespaces_, name_space);
  ingest.id = keys_.Intern(ref);
  ingest.references = {static_cast<std::uint32_t>(references_.size()), 1};
  references_.push_back({keys_.Intern(expected), 0, ObjectType::kContent, false});
  holders_.push_back(ingest);
}

void MetadataSnapshot::AddSandbox(std::string_view name_space, std::string_view id, Labels labels) {
  Holder sandbox;
  sandbox.kind = Holder::Kind::kSandbox;
  sandbox.space = IdOf(namespaces_, name_space);
  sandbox.references = Keep(labels);
  sandbox.id = keys_.Intern(id);
  if (sandbox.references.count > 0) holders_.push_back(sandbox);
}

void MetadataSnapshot::AddFacts(std::string_view image_id,
                                std::span<const std::string_view> manifests,
                                std::span<const std::string_view> diff_ids,
                                std::span<const HistoryStep> history) {
  ImageFacts facts;
  facts.id = keys_.Intern(image_id);
  for (const auto digest : manifests) facts.manifests.push_back(keys_.Intern(digest));
  for (const auto digest : diff_ids) facts.diff_ids.push_back(keys_.Intern(digest));
  for (const auto& step : history)
    facts.history.push_back({keys_.Intern(step.created_by), step.empty_layer});
  facts_.push_back(std::move(facts));
}

void MetadataSnapshot::Trim() {
  keys_.Trim();
  images_.shrink_to_fit();
  blobs_.shrink_to_fit();
  source_labels_.shrink_to_fit();
  snapshots_.shrink_to_fit();
  references_.shrink_to_fit();
}

const Unread* MetadataSnapshot::UnreadOfCri(Unread::What what) const {
  const auto found = std::ranges::find_if(unread_, [&](const Unread& part) {
    const bool ours = part.name_space.empty() || part.name_space == namespaces_[cri_namespace()];
    return ours && part.what == what;
  });
  return found == unread_.end() ? nullptr : &*found;
}

void MetadataSnapshot::CouldNotRead(Unread unread) {
  unread_.push_back(std::move(unread));
}

}  // namespace imagesweep::layers
