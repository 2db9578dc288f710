#include "agent/containerd/image_remover.h"

#include <algorithm>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "agent/containerd/call.h"
#include "agent/containerd/stubs.h"
#include "agent/containerd/timestamp.h"
#include "agent/model/image_name.h"

namespace imagesweep::containerd {
namespace {

constexpr Millis kLookAgain{250}, kMaxGraphAge{2'000}, kRunAtMost = std::chrono::hours(1);

// 2.0 is the first that looks at DeleteImageRequest.target; "v2.1.9", "1.7.24".
bool ChecksTarget(std::string_view version) {
  if (version.starts_with('v')) version.remove_prefix(1);
  return !version.empty() && version.front() >= '2' && version.front() <= '9' &&
         version.substr(1, 1) == ".";
}

// What was asked for, though the answer was an error or none: containerd may fail to tell others of
// what it has done.
bool MayHaveHappened(ErrorKind error) {
  return error != ErrorKind::kDenied && error != ErrorKind::kInvalid &&
         error != ErrorKind::kNotFound;
}

// A container may outlive the plugin that it was made with, and then runs on nothing.
// Source: containerd plugins/services/snapshots/service.go, getSnapshotter (INVALID_ARGUMENT).
bool IsNotLoaded(const Error& error) {
  return error.what.find("snapshotter not loaded") != std::string::npos;
}

}  // namespace

BatchImageRemover::BatchImageRemover(const std::shared_ptr<grpc::Channel>& channel,
                                     RuntimeReader& runtime, RecentGraph& layers,
                                     ImageRemover& by_cri, const Clock& clock, Options options)
    : stubs_(std::make_unique<Collector::Stubs>(channel)),
      runtime_(runtime),
      layers_(layers),
      by_cri_(by_cri),
      clock_(clock),
      options_(std::move(options)),
      downloads_(options_.patience, clock) {}

BatchImageRemover::~BatchImageRemover() = default;

std::size_t BatchImageRemover::batch_size() const {
  const auto last = layers_.Last(kRunAtMost);
  const bool by_the_cri = downloading_ || (last && !last->graph->world().unread().empty());
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
    const auto reply =
        calls.Ask("Content.ListStatuses", options_.cri_namespace, stubs_->content,
                  &api::content::Content::Stub::ListStatuses, api::content::ListStatusesRequest());
    if (!reply) return reply.error();
    std::vector<Download> listed;
    for (const auto& status : reply->statuses())
      listed.push_back({status.ref(), status.offset(), TimeOf(status.updated_at())});
    waited_ = before + std::chrono::duration_cast<Millis>(clock_.Steady() - begun);
    const bool any = !downloads_.Alive(listed).empty();
    downloading_ = any && waited_ >= options_.patience;
    if (!any || downloading_) return Done{};
    if (!clock_.Sleep(kLookAgain, stop)) return Error{ErrorKind::kCancelled, "told to stop"};
    layers_.Forget();  // what came by now is not in it
  }
}

// The CRI's list comes second: a container that it has by now is the last look's.
Result<std::vector<BatchImageRemover::Stranger>> BatchImageRemover::ReadStrangers(
    const layers::LayerGraph& graph, const std::stop_token& stop) {
  std::vector<Stranger> strangers;  // all there are, at first
  const Calls calls(options_.timeout, stop);
  const auto take = [&](const api::containers::ListContainerMessage& message) {
    const auto& one = message.container();
    strangers.push_back({one.id(), one.image(), one.snapshotter(), one.snapshot_key(), {}});
  };
  const auto read =
      calls.AskStream("Containers.ListStream", options_.cri_namespace, stubs_->containers,
                      &api::containers::Containers::Stub::ListStream,
                      api::containers::ListContainersRequest(), take);
  if (!read) return read.error();
  const auto use = runtime_.ReadUse(stop);
  if (!use) return use.error();
  const std::unordered_set<std::string_view> listed(use->ids.begin(), use->ids.end());
  std::erase_if(strangers, [&](const Stranger& one) { return listed.contains(one.id); });
  for (Stranger& one : strangers)
    if (auto found = FindWhatItRunsOn(one, graph, calls); !found) return found.error();
  return strangers;
}

// Down from its own snapshot, which may be newer than the graph, to one that the graph knows.
Status BatchImageRemover::FindWhatItRunsOn(Stranger& stranger, const layers::LayerGraph& graph,
                                           const Calls& calls) {
  for (std::string key = stranger.snapshot; !key.empty();) {
    if (const auto node = graph.FindSnapshot(stranger.snapshotter, key); node != layers::kNoNode) {
      stranger.images = graph.ImagesOf(node);
      return Done{};
    }
    api::snapshots::StatSnapshotRequest request;
    request.set_snapshotter(stranger.snapshotter);
    request.set_key(key);
    const auto reply = calls.Ask("Snapshots.Stat", options_.cri_namespace, stubs_->snapshots,
                                 &api::snapshots::Snapshots::Stub::Stat, request);
    if (!reply && (reply.error().kind == ErrorKind::kNotFound || IsNotLoaded(reply.error())))
      return Done{};
    if (!reply) return reply.error();
    key = reply->info().parent();
  }
  return Done{};
}

Result<RecentGraph::Known> BatchImageRemover::ReadRecords(bool alone, const std::stop_token& stop) {
  auto last = layers_.Last(kMaxGraphAge);
  if (last && !alone) return *std::move(last);
  const auto listed = runtime_.ListImages(stop);
  if (!listed) return listed.error();
  if (last && KnowsAll(*last->positions, *listed)) return *std::move(last);
  return layers_.ReadAnew(*listed, stop);
}

// A record that means one image of those that the graph knows may mean a new one, too.
bool BatchImageRemover::StillHolds(const std::vector<Image>& listed) {
  if (known_ && KnowsAll(*known_, listed)) return true;
  layers_.Forget();
  return false;
}

Status BatchImageRemover::BeginBatch(const std::vector<const Image*>& images,
                                     const std::stop_token& stop) {
  records_.clear();
  spared_.clear();
  if (auto quiet = WaitForDownloads(stop); !quiet) return quiet;
  const auto identity = runtime_.Identity(stop);
  if (!identity) return identity.error();
  checks_target_ = ChecksTarget(identity->version);
  const auto known = ReadRecords(images.size() == 1, stop);
  if (!known) return known.error();
  known_ = known->positions;
  const layers::LayerGraph& graph = *known->graph;
  if (const auto* part = graph.world().UnreadOfCri(layers::Unread::What::kHolders))
    return Error{ErrorKind::kIncomplete, "containerd was read only in part: " + part->why};
  const auto strangers = ReadStrangers(graph, stop);
  if (!strangers) return strangers.error();
  if (const auto* part = graph.world().UnreadOfCri(layers::Unread::What::kObjects))
    for (const Stranger& one : *strangers)
      if (!one.snapshot.empty())
        return Error{ErrorKind::kIncomplete,
                     "containerd was read only in part, so what its container " + one.id +
                         " runs on, which the CRI does not list, is not known: " + part->why};
  for (const Image* image : images) {
    const auto it = known_->find(image->id.text());
    if (it == known_->end()) {
      spared_.emplace(image->id.text(), "it is gone already");
      continue;
    }
    std::vector<Record> records;
    bool ambiguous = !graph.world().unread().empty();
    for (layers::NativeRecord& record : graph.Records(it->second)) {
      ambiguous = ambiguous || record.ambiguous;
      records.push_back(
          {std::move(record.name), std::move(record.target), record.survives_remove_image});
    }
    for (const Stranger& one : *strangers) {
      const ImageName named = ImageName::Parse(one.image);
      if (std::ranges::find(records, one.image, &Record::name) != records.end() ||
          std::ranges::find(image->tags, named) != image->tags.end() ||
          std::ranges::find(image->digests, named) != image->digests.end() ||
          one.image == image->id.text() ||
          std::ranges::find(one.images, it->second) != one.images.end())
        spared_.emplace(image->id.text(), "containerd's container " + one.id +
                                              " uses it, which the CRI does not list");
    }
    // Tags last: as long as one is there, half a removal leaves an image that can be used.
    std::stable_partition(records.begin(), records.end(), [](const Record& record) {
      return record.name.starts_with("sha256:") || record.name.find('@') != std::string::npos;
    });
    // RemoveImage of the CRI is safe beside downloads; it needs none of the records but those that
    // would outlive it.
    if (downloading_ && std::ranges::none_of(records, &Record::survives_remove_image)) continue;
    if (!records.empty() && !ambiguous) records_.emplace(image->id.text(), std::move(records));
  }
  return Done{};
}

std::string BatchImageRemover::ReasonToSpare(const Image& image) {
  const auto it = spared_.find(image.id.text());
  return it == spared_.end() ? std::string() : it->second;
}

// A name that stands for another image by now is not ours to delete: only from 2.0 on does
// containerd compare within its own transaction.
Status BatchImageRemover::Delete(const Record& record, const std::stop_token& stop) {
  const Calls calls(options_.timeout, stop);
  const auto moved = [&]() -> Status {
    api::images::GetImageRequest request;
    request.set_name(record.name);
    const auto now = calls.Ask("Images.Get", options_.cri_namespace, stubs_->images,
                               &api::images::Images::Stub::Get, request);
    if (!now && now.error().kind != ErrorKind::kNotFound) return now.error();
    if (now && now->image().target().digest() != record.target)
      return Error{ErrorKind::kIncomplete, record.name + " stands for another image by now"};
    return Done{};
  };
  if (!checks_target_)
    if (auto same = moved(); !same) return same;
  api::images::DeleteImageRequest request;
  request.set_name(record.name);
  request.mutable_target()->set_digest(record.target);
  // The other place of the whole program that destroys something.
  const auto reply = calls.Ask("Images.Delete", options_.cri_namespace, stubs_->images,
                               &api::images::Images::Stub::Delete, request);
  if (!reply && reply.error().kind == ErrorKind::kNotFound) return moved();
  if (reply || MayHaveHappened(reply.error().kind)) deleted_ = true;
  if (!reply) return reply.error();
  return Done{};
}

// The CRI goes on listing an image whose record it cannot name.  Under the name by which it knows
// it, it can remove it.
Status BatchImageRemover::Rename(const Record& record, const std::stop_token& stop) {
  const Calls calls(options_.timeout, stop);
  api::images::GetImageRequest request;
  request.set_name(record.name);
  auto old = calls.Ask("Images.Get", options_.cri_namespace, stubs_->images,
                       &api::images::Images::Stub::Get, request);
  if (!old) return old.error().kind == ErrorKind::kNotFound ? Status(Done{}) : old.error();
  if (old->image().target().digest() != record.target)
    return Error{ErrorKind::kIncomplete, record.name + " stands for another image by now"};
  api::images::CreateImageRequest alias;
  *alias.mutable_image() = std::move(*old->mutable_image());
  alias.mutable_image()->set_name(ImageName::Parse(record.name).text());
  const auto created = calls.Ask("Images.Create", options_.cri_namespace, stubs_->images,
                                 &api::images::Images::Stub::Create, alias);
  if (!created) {  // it may be there already
    request.set_name(alias.image().name());
    const auto there = calls.Ask("Images.Get", options_.cri_namespace, stubs_->images,
                                 &api::images::Images::Stub::Get, request);
    if (!there || there->image().target().digest() != record.target) return created.error();
  }
  return Delete(record, stop);
}

Result<Removal> BatchImageRemover::Remove(const Image& image, const std::stop_token& stop) {
  const auto it = records_.find(image.id.text());
  if (it == records_.end()) return by_cri_.Remove(image, stop);
  bool renamed = false;
  for (const Record& record : it->second) {
    if (!record.survives_remove_image) continue;
    if (auto done = Rename(record, stop); !done) return std::move(done).error();
    renamed = true;
  }
  if (renamed) return by_cri_.Remove(image, stop);
  for (const Record& record : it->second)
    if (auto done = Delete(record, stop); !done) return std::move(done).error();
  return Removal::kRemoved;
}

// Deleting a lease and waiting is one collection, on every version.  It expires by itself, should
// we die in between.
Status BatchImageRemover::Reclaim(const std::stop_token& stop) {
  if (!deleted_) return Done{};
  const Calls calls(options_.collection_timeout, stop);
  api::leases::CreateRequest create;
  create.set_id("imagesweep-" + std::to_string(clock_.Now().time_since_epoch().count()) + "-" +
                std::to_string(++leases_));
  (*create.mutable_labels())["containerd.io/gc.expire"] =
      FormatTime(clock_.Now() + std::chrono::minutes(5));
  const auto lease = calls.Ask("Leases.Create", options_.cri_namespace, stubs_->leases,
                               &api::leases::Leases::Stub::Create, create);
  if (!lease) return lease.error();
  api::leases::DeleteRequest end;
  end.set_id(create.id());
  end.set_sync(true);
  const auto collected = calls.Ask("Leases.Delete", options_.cri_namespace, stubs_->leases,
                                   &api::leases::Leases::Stub::Delete, end);
  if (!collected) return collected.error();
  deleted_ = false;
  return Done{};
}

}  // namespace imagesweep::containerd
