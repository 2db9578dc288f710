#include "agent/runtime/containerd/snapshot_builder.h"

#include <utility>

#include "agent/base/parallel_for.h"
#include "agent/runtime/containerd/stubs.h"

namespace imagesweep::containerd {
namespace {

using layers::Unread;

std::uint64_t Unsigned(std::int64_t number) {
  return number < 0 ? 0 : static_cast<std::uint64_t>(number);
}

layers::SnapshotKind KindOf(api::snapshots::Kind kind) {
  switch (kind) {
    case api::snapshots::COMMITTED:
      return layers::SnapshotKind::kCommitted;
    case api::snapshots::VIEW:
      return layers::SnapshotKind::kView;
    default:  // an unknown kind counts as one in use
      return layers::SnapshotKind::kActive;
  }
}

}  // namespace

SnapshotBuilder::SnapshotBuilder(MetadataReader::Stubs& stubs, MetadataReader::Memory& memory,
                                 const Calls& calls, layers::MetadataSnapshot& metadata)
    : stubs_(stubs), memory_(memory), calls_(calls), metadata_(metadata) {}

void SnapshotBuilder::Missed(Unread::What what, const std::string& name_space, const Error& error) {
  metadata_.CouldNotRead({what, name_space, error.what});
}

template <typename Map>
layers::Labels SnapshotBuilder::LabelsOf(const Map& labels) {
  labels_.clear();
  for (const auto& [key, value] : labels) labels_.push_back({key, value});
  return labels_;
}

void SnapshotBuilder::ReadObjects(const std::string& name_space,
                                  std::span<const std::string> snapshotters) {
  std::vector<SnapshotList> snapshots(snapshotters.size());
  ParallelFor(1 + snapshotters.size(), [&](std::size_t number) {
    if (number == 0) {  // the only one that adds to metadata_ meanwhile
      ReadImages(name_space);
      ReadContent(name_space);  // after the images, so that the targets of records exist
    } else {
      snapshots[number - 1] = ListSnapshots(name_space, snapshotters[number - 1]);
    }
    return Done{};
  });
  for (std::size_t at = 0; at < snapshotters.size(); ++at)
    AddSnapshots(name_space, snapshotters[at], std::exchange(snapshots[at], {}));
}

void SnapshotBuilder::ReadImages(const std::string& name_space) {
  const auto reply = calls_.In(name_space)
                         .UnaryCall("Images.List", stubs_.images, &api::images::Images::Stub::List,
                                    api::images::ListImagesRequest());
  if (!reply) return Missed(Unread::What::kHolders, name_space, reply.error());
  for (const auto& image : reply->images())
    metadata_.AddImage(name_space, image.name(), image.target().digest(), LabelsOf(image.labels()));
}

void SnapshotBuilder::ReadContent(const std::string& name_space) {
  const auto take = [&](const api::content::ListContentResponse& reply) {
    for (const auto& blob : reply.info())
      metadata_.AddBlob(name_space, blob.digest(), Unsigned(blob.size()), TimeOf(blob.created_at()),
                        LabelsOf(blob.labels()));
  };
  const auto status =
      calls_.In(name_space)
          .StreamingCall("Content.List", stubs_.content, &api::content::Content::Stub::List,
                         api::content::ListContentRequest(), take);
  if (!status) Missed(Unread::What::kObjects, name_space, status.error());
}

SnapshotBuilder::SnapshotList SnapshotBuilder::ListSnapshots(const std::string& name_space,
                                                             const std::string& snapshotter) const {
  api::snapshots::ListSnapshotsRequest request;
  request.set_snapshotter(snapshotter);
  SnapshotList listed;
  const auto take = [&listed](api::snapshots::ListSnapshotsResponse&& reply) {
    for (auto& info : *reply.mutable_info()) listed.snapshots.push_back(std::move(info));
  };
  const auto status = calls_.In(name_space)
                          .StreamingCall("Snapshots.List " + snapshotter, stubs_.snapshots,
                                         &api::snapshots::Snapshots::Stub::List, request, take);
  if (!status) listed.error = status.error();
  return listed;
}

void SnapshotBuilder::AddSnapshots(const std::string& name_space, const std::string& snapshotter,
                                   const SnapshotList& listed) {
  using Sized = MetadataReader::Memory::Sized;
  if (listed.error) {
    Missed(Unread::What::kObjects, name_space, *listed.error);
    Missed(Unread::What::kMounts, name_space, *listed.error);
  }
  const auto& snapshots = listed.snapshots;
  std::vector<std::string> keys(snapshots.size());  // into the memory, for committed snapshots
  std::vector<std::optional<Sized>> known(snapshots.size());
  std::vector<std::size_t> unknown;
  for (std::size_t at = 0; at < snapshots.size(); ++at) {
    const auto& info = snapshots[at];
    if (info.kind() != api::snapshots::COMMITTED) continue;
    keys[at].append(name_space).append("\n").append(snapshotter).append("\n").append(info.name());
    const auto it = memory_.usages.find(keys[at]);
    if (it != memory_.usages.end() && it->second.created == TimeOf(info.created_at()))
      known[at] = it->second;
    else
      unknown.push_back(at);
  }
  const auto usages = ParallelFor(unknown.size(), [&](std::size_t number) {
    api::snapshots::UsageRequest request;
    request.set_snapshotter(snapshotter);
    request.set_key(snapshots[unknown[number]].name());
    return calls_.In(name_space)
        .UnaryCall("Snapshots.Usage " + snapshotter, stubs_.snapshots,
                   &api::snapshots::Snapshots::Stub::Usage, request);
  });
  std::vector<bool> gone(snapshots.size(), false);
  bool complained = false;
  for (std::size_t number = 0; number < unknown.size(); ++number) {
    const std::size_t at = unknown[number];
    const auto& usage = *usages[number];
    if (usage)
      known[at] = Sized{TimeOf(snapshots[at].created_at()),
                        {Unsigned(usage->size()), Unsigned(usage->inodes())}};
    else if (usage.error().kind == ErrorKind::kNotFound)
      gone[at] = true;  // since the list
    else if (!std::exchange(complained, true))
      Missed(Unread::What::kObjects, name_space, usage.error());
  }
  for (std::size_t at = 0; at < snapshots.size(); ++at) {
    if (gone[at]) continue;
    const auto& info = snapshots[at];
    metadata_.AddSnapshot(name_space, snapshotter, info.name(), info.parent(), KindOf(info.kind()),
                          known[at] ? std::optional(known[at]->usage) : std::nullopt,
                          LabelsOf(info.labels()));
    if (known[at]) usages_.try_emplace(std::move(keys[at]), *known[at]);
  }
}

void SnapshotBuilder::ReadContainers(const std::string& name_space) {
  const auto take = [&](const api::containers::ListContainerMessage& reply) {
    const auto& container = reply.container();
    metadata_.AddContainer(name_space, container.id(), container.image(), container.snapshotter(),
                           container.snapshot_key(), LabelsOf(container.labels()));
  };
  const auto status = calls_.In(name_space)
                          .StreamingCall("Containers.ListStream", stubs_.containers,
                                         &api::containers::Containers::Stub::ListStream,
                                         api::containers::ListContainersRequest(), take);
  if (!status) Missed(Unread::What::kHolders, name_space, status.error());
}

void SnapshotBuilder::ReadLeases(const std::string& name_space) {
  const auto leases = calls_.In(name_space)
                          .UnaryCall("Leases.List", stubs_.leases, &api::leases::Leases::Stub::List,
                                     api::leases::ListRequest());
  if (!leases) return Missed(Unread::What::kHolders, name_space, leases.error());
  for (const auto& lease : leases->leases()) {
    api::leases::ListResourcesRequest request;
    request.set_id(lease.id());
    const auto reply = calls_.In(name_space)
                           .UnaryCall("Leases.ListResources", stubs_.leases,
                                      &api::leases::Leases::Stub::ListResources, request);
    if (!reply && reply.error().kind == ErrorKind::kNotFound) continue;  // gone since the list
    if (!reply) return Missed(Unread::What::kHolders, name_space, reply.error());
    std::vector<layers::MetadataSnapshot::LeaseResource> resources;
    for (const auto& resource : reply->resources())
      resources.push_back({resource.id(), resource.type()});
    metadata_.AddLease(name_space, lease.id(), LabelsOf(lease.labels()), resources);
  }
}

void SnapshotBuilder::ReadIngests(const std::string& name_space) {
  const auto reply = calls_.In(name_space)
                         .UnaryCall("Content.ListStatuses", stubs_.content,
                                    &api::content::Content::Stub::ListStatuses,
                                    api::content::ListStatusesRequest());
  if (!reply) return Missed(Unread::What::kHolders, name_space, reply.error());
  for (const auto& ingest : reply->statuses())
    metadata_.AddIngest(name_space, ingest.ref(), ingest.expected());
}

void SnapshotBuilder::ReadSandboxes(const std::string& name_space) {
  const auto reply =
      calls_.In(name_space)
          .UnaryCall("Sandboxes.List", stubs_.sandboxes, &api::sandbox::Store::Stub::List,
                     api::sandbox::StoreListRequest());
  if (!reply && reply.error().kind == ErrorKind::kInvalid)
    return;  // before 2.0 there is no such service
  if (!reply) return Missed(Unread::What::kHolders, name_space, reply.error());
  for (const auto& sandbox : reply->list())
    metadata_.AddSandbox(name_space, sandbox.sandbox_id(), LabelsOf(sandbox.labels()));
}

void SnapshotBuilder::Forget() {
  memory_.usages = std::move(usages_);
}

}  // namespace imagesweep::containerd
