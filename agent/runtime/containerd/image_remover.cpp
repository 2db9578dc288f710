#include "agent/runtime/containerd/image_remover.h"

#include <algorithm>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "agent/imagestore/graph/attribution.h"
#include "agent/model/image_name.h"
#include "agent/runtime/containerd/call.h"
#include "agent/runtime/containerd/delete.h"
#include "agent/runtime/containerd/image_records.h"
#include "agent/runtime/containerd/stubs.h"

namespace imagesweep::containerd {
namespace {

constexpr Millis kLookAgain{250}, kMaxGraphAge{2'000}, kRunAtMost = std::chrono::hours(1);

// A container may outlive the plugin that created it, and then runs on nothing. Source: containerd
// plugins/services/snapshots/service.go, getSnapshotter (INVALID_ARGUMENT).
bool IsNotLoaded(const Error& error) {
  return error.what.find("snapshotter not loaded") != std::string::npos;
}

}  // namespace

BatchImageRemover::BatchImageRemover(const std::shared_ptr<grpc::Channel>& channel,
                                     RuntimeReader& runtime, CachedGraphReader& layers,
                                     ImageRemover& by_cri, const Clock& clock, Options options)
    : stubs_(std::make_unique<MetadataReader::Stubs>(channel)),
      runtime_(runtime),
      layers_(layers),
      by_cri_(by_cri),
      clock_(clock),
      options_(std::move(options)),
      downloads_(options_.patience, clock) {}

BatchImageRemover::~BatchImageRemover() = default;

std::size_t BatchImageRemover::batch_size() const {
  const auto last = layers_.Last(kRunAtMost);
  const bool by_the_cri = downloading_ || (last && !last->graph->metadata().unread().empty());
  return by_the_cri ? by_cri_.batch_size() : 50;
}

void BatchImageRemover::BeginRun() {
  waited_ = Millis(0);
  downloading_ = false;
}

Status BatchImageRemover::WaitForDownloads(const std::stop_token& stop) {
  const Millis before = waited_;
  for (const SteadyTime begun = clock_.Steady();;) {
    const Calls calls(options_.timeout, stop);
    const auto reply = calls.In(options_.cri_namespace)
                           .UnaryCall("Content.ListStatuses", stubs_->content,
                                      &api::content::Content::Stub::ListStatuses,
                                      api::content::ListStatusesRequest());
    if (!reply) return reply.error();
    std::vector<Download> listed;
    for (const auto& status : reply->statuses())
      listed.push_back({status.ref(), status.offset(), TimeOf(status.updated_at())});
    waited_ = before + std::chrono::duration_cast<Millis>(clock_.Steady() - begun);
    const bool any = !downloads_.Alive(listed).empty();
    downloading_ = any && waited_ >= options_.patience;
    if (!any || downloading_) return Done{};
    if (!clock_.Sleep(kLookAgain, stop)) return Error{ErrorKind::kCancelled, "shutting down"};
    layers_.Forget();  // it does not contain what arrived meanwhile
  }
}

Result<std::vector<BatchImageRemover::NonCriContainer>> BatchImageRemover::ListContainers(
    const std::stop_token& stop) {
  std::vector<NonCriContainer> all;
  const Calls calls(options_.timeout, stop);
  const auto take = [&](const api::containers::ListContainerMessage& message) {
    const auto& one = message.container();
    all.push_back({one.id(), one.image(), one.snapshotter(), one.snapshot_key()});
  };
  const auto read = calls.In(options_.cri_namespace)
                        .StreamingCall("Containers.ListStream", stubs_->containers,
                                       &api::containers::Containers::Stub::ListStream,
                                       api::containers::ListContainersRequest(), take);
  if (!read) return read.error();
  return all;
}

Status BatchImageRemover::KeepNonCri(std::vector<NonCriContainer>& all,
                                     const std::vector<std::string>& listed,
                                     const std::stop_token& stop) {
  const std::unordered_set<std::string_view> by_cri(listed.begin(), listed.end());
  std::erase_if(all, [&](const NonCriContainer& one) { return by_cri.contains(one.id); });
  const Calls calls(options_.timeout, stop);
  const auto* part = graph_->metadata().UnreadOfCri(layers::Unread::What::kObjects);
  for (NonCriContainer& one : all) {
    if (part != nullptr && !one.snapshot.empty())
      return Error{ErrorKind::kIncomplete,
                   "containerd was read only in part, so the image of its container " + one.id +
                       ", which the CRI does not list, is unknown: " + part->why};
    if (const auto it = needed_.find(one.key()); it != needed_.end()) {
      one.images = it->second;
      continue;
    }
    const auto found = FindImages(one, calls);
    if (!found) return found.error();
    if (*found) needed_.emplace(one.key(), one.images);
  }
  return Done{};
}

// Follows the parents from the container's own snapshot, which may be newer than the graph, to a
// snapshot that the graph knows.
Result<bool> BatchImageRemover::FindImages(NonCriContainer& container, const Calls& calls) {
  for (const auto& [id, records] : records_)
    if (std::ranges::find(records, container.image, &Record::name) != records.end())
      container.images.push_back(id);
  for (std::string key = container.snapshot; !key.empty();) {
    if (const auto node = graph_->FindSnapshot(container.snapshotter, key);
        node != layers::kNoNode) {
      for (const ImagePos image : graph_->ImagesOf(node)) container.images.push_back(ids_[image]);
      return true;
    }
    api::snapshots::StatSnapshotRequest request;
    request.set_snapshotter(container.snapshotter);
    request.set_key(key);
    const auto reply = calls.In(options_.cri_namespace)
                           .UnaryCall("Snapshots.Stat", stubs_->snapshots,
                                      &api::snapshots::Snapshots::Stub::Stat, request);
    if (!reply && (reply.error().kind == ErrorKind::kNotFound || IsNotLoaded(reply.error())))
      return false;
    if (!reply) return reply.error();
    key = reply->info().parent();
  }
  return true;
}

// A container that the CRI started meanwhile is in this list and not in the CRI's list, so it
// counts here.
Result<std::vector<ImageReference>> BatchImageRemover::ReadNonCriContainers(
    const std::vector<std::string>& listed, const std::stop_token& stop) {
  auto containers = ListContainers(stop);
  if (!containers) return std::move(containers).error();
  if (auto kept = KeepNonCri(*containers, listed, stop); !kept) return kept.error();
  std::vector<ImageReference> references;
  for (const NonCriContainer& one : *containers) {
    ImageReference reference;
    reference.by = {ImageUserKind::kContainer, "", "", one.id};
    reference.text = one.image;
    if (!reference.text.empty()) references.push_back(reference);
    for (const std::string& id : one.images) {
      reference.text = id;
      references.push_back(reference);
    }
  }
  return references;
}

Result<CachedGraphReader::Known> BatchImageRemover::ReadRecords(bool alone,
                                                                const std::stop_token& stop) {
  auto last = layers_.Last(kMaxGraphAge);
  if (last && !alone) return *std::move(last);
  const auto listed = runtime_.ListImages(stop);
  if (!listed) return listed.error();
  if (last && KnowsAll(*last->positions, *listed)) return *std::move(last);
  return layers_.Refresh(*listed, stop);
}

// A record of a known image may also belong to a new image.
bool BatchImageRemover::StillHolds(const std::vector<Image>& listed) {
  if (known_ && KnowsAll(*known_, listed)) return true;
  layers_.Forget();
  return false;
}

Status BatchImageRemover::BeginBatch(const std::vector<const Image*>& images,
                                     const std::stop_token& stop) {
  records_.clear();
  skipped_.clear();
  if (auto quiet = WaitForDownloads(stop); !quiet) return quiet;
  const auto known = ReadRecords(images.size() == 1, stop);
  if (!known) return known.error();
  known_ = known->positions;
  graph_ = known->graph;
  needed_.clear();
  ids_.assign(graph_->size(), {});
  for (const auto& [id, at] : *known_)
    if (ids_.Has(at)) ids_[at] = id;
  const layers::LayerGraph& graph = *graph_;
  if (const auto* part = graph.metadata().UnreadOfCri(layers::Unread::What::kHolders))
    return Error{ErrorKind::kIncomplete, "containerd was read only in part: " + part->why};
  if (const std::string why = graph.WhyMountsAreUnknown(); !why.empty())
    return Error{ErrorKind::kIncomplete, "containerd was read only in part: " + why};
  for (const Image* image : images) {
    const auto it = known_->find(image->id.text());
    if (it == known_->end()) {
      skipped_.emplace(image->id.text(), "the image is already gone");
      continue;
    }
    std::vector<Record> records;
    bool ambiguous = !graph.metadata().unread().empty();
    for (layers::NativeRecord& record : graph.Records(it->second)) {
      ambiguous = ambiguous || record.ambiguous;
      records.push_back(
          {std::move(record.name), std::move(record.target), record.survives_remove_image});
    }
    // Tags come last: while one exists, a partial removal leaves an image that can be used.
    std::stable_partition(records.begin(), records.end(), [](const Record& record) {
      return record.name.starts_with("sha256:") || record.name.find('@') != std::string::npos;
    });
    // RemoveImage of the CRI is safe during downloads. It needs only the records that would outlive
    // it.
    if (downloading_ && std::ranges::none_of(records, &Record::survives_remove_image)) continue;
    if (!records.empty() && !ambiguous) records_.emplace(image->id.text(), std::move(records));
  }
  for (const layers::LayerGraph::Mount& mount : graph.MountsWithoutContainer())
    for (const ImagePos at : mount.images)
      skipped_.emplace(ids_[at], "snapshot " + mount.key +
                                     " in containerd, which belongs to no "
                                     "container, mounts it");
  // The list of the CRI comes second: the recheck covers a container that it now has.
  auto containers = ListContainers(stop);
  if (!containers) return std::move(containers).error();
  const auto use = runtime_.ReadUse(stop);
  if (!use) return use.error();
  if (auto kept = KeepNonCri(*containers, use->ids, stop); !kept) return kept;
  for (const Image* image : images) {
    for (const NonCriContainer& one : *containers) {
      const ImageName named = ImageName::Parse(one.image);
      if (std::ranges::find(image->tags, named) != image->tags.end() ||
          std::ranges::find(image->digests, named) != image->digests.end() ||
          one.image == image->id.text() ||
          std::ranges::find(one.images, image->id.text()) != one.images.end())
        skipped_.emplace(
            image->id.text(),
            "container " + one.id + " in containerd, which the CRI does not list, uses it");
    }
  }
  return Done{};
}

std::string BatchImageRemover::ReasonToSkip(const Image& image) {
  const auto it = skipped_.find(image.id.text());
  return it == skipped_.end() ? std::string() : it->second;
}

// The CRI still lists an image whose record it cannot name. It can remove the image under the name
// by which it knows it.
Result<Removal> BatchImageRemover::RemoveByAlias(const Image& image,
                                                 const std::vector<Record>& records,
                                                 ImageRecords& store, DeletionGuard& guard,
                                                 const std::stop_token& stop) {
  std::vector<Record> renamed, aliases;
  const auto undo = [&]() -> std::string {
    std::string missing = RestoreRecords(renamed, store);
    if (!missing.empty()) return "; " + missing;  // so the aliases stay
    for (const Record& alias : aliases)
      if (auto done = store.Delete(alias); !done && done.error().kind != ErrorKind::kNotFound)
        missing +=
            "; the temporary name " + alias.name + " could not be deleted: " + done.error().what;
    return missing;
  };
  for (const Record& record : records) {
    if (!record.survives_remove_image) continue;
    const auto target = store.Read(record.name);
    if (!target) return Error{target.error().kind, target.error().what + undo()};
    if (!*target) continue;
    if (**target != record.target)
      return Error{ErrorKind::kIncomplete, record.name + " now refers to another image" + undo()};
    const Record alias{layers::NameInCri(record.name), record.target};
    if (const auto made = store.Create(record.name, alias.name); made) {
      aliases.push_back(alias);
    } else {  // it may already exist
      const auto there = store.Read(alias.name);
      if (!there || *there != alias.target)
        return Error{made.error().kind, made.error().what + undo()};
    }
    store.AwaitCri(alias.name, clock_);
    renamed.push_back(record);
    if (auto gone = store.Delete(record); !gone && gone.error().kind != ErrorKind::kNotFound)
      return Error{gone.error().kind, gone.error().what + undo()};
  }
  auto removed = by_cri_.Remove(image, guard, stop);
  const bool stays = removed && removed->kind != Removal::Kind::kRemoved;
  if (!stays) return removed;
  const std::string missing = undo();
  if (missing.empty()) return removed;
  return Error{ErrorKind::kIncomplete, removed->why + missing};
}

Result<Removal> BatchImageRemover::Remove(const Image& image, DeletionGuard& guard,
                                          const std::stop_token& stop) {
  const auto it = records_.find(image.id.text());
  if (it == records_.end()) return by_cri_.Remove(image, guard, stop);
  ImageRecords store(*stubs_, {options_.cri_namespace, options_.timeout}, stop);
  auto removed = std::ranges::any_of(it->second, &Record::survives_remove_image)
                     ? RemoveByAlias(image, it->second, store, guard, stop)
                     : RemoveRecords(it->second, store, guard);
  if (store.deleted()) deleted_ = true;
  return removed;
}

// The lease expires if this process dies before it is deleted.
Status BatchImageRemover::Reclaim(const std::stop_token& stop) {
  graph_.reset();  // not needed between two batches
  needed_.clear();
  if (!deleted_) return Done{};
  const Calls calls(options_.collection_timeout, stop);
  const std::string lease = "imagesweep-" +
                            std::to_string(clock_.Now().time_since_epoch().count()) + "-" +
                            std::to_string(++leases_);
  auto collected = CollectGarbage(calls, *stubs_, options_.cri_namespace, lease,
                                  FormatTime(clock_.Now() + std::chrono::minutes(5)));
  if (collected) deleted_ = false;
  return collected;
}

}  // namespace imagesweep::containerd
