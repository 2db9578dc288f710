#include "agent/kube/index/workload_index_writer.h"

#include <algorithm>
#include <utility>

#include "agent/base/codec.h"

namespace imagesweep::kube {
namespace {

constexpr const char* kResource = "configmaps";
// No leader ever counts this far. A greater number is damage, and counting on from it would
// overflow.
constexpr std::uint64_t kGreatestGeneration = std::uint64_t{1} << 62;

Error NotLeading() {
  return {ErrorKind::kIncomplete, "the leadership was lost"};
}

}  // namespace

WorkloadIndexWriter::WorkloadIndexWriter(HttpTransport& transport, IndexName index,
                                         std::string holder, const RequestObserver& observer,
                                         std::size_t max_shard_bytes)
    : client_(transport, observer),
      lister_(transport, ConfigMapsPath(index), kResource, IndexSelector(index), observer),
      index_(std::move(index)),
      holder_(std::move(holder)),
      max_shard_bytes_(max_shard_bytes) {}

void WorkloadIndexWriter::Forget() {
  known_.reset();
}

// An object that cannot be read is overwritten later. Only its version is needed.
Status WorkloadIndexWriter::Learn(const std::stop_token& stop) {
  const auto listed = lister_.List("", stop);
  if (const auto* failure = std::get_if<ListFailure>(&listed)) return failure->error;
  Known known;
  for (const Json& item : std::get<ObjectList>(listed).items) {
    const auto id = ReadId(item);
    if (!id) return id.error();
    known.objects[id->name] = {id->version, ReadMarks(item)};
    std::uint64_t generation = 0;
    if (id->name == index_.name) {
      if (const auto head = ReadHead(item)) {
        generation = head->generation;
        known.slot = head->slot;
      }
    } else if (const auto shard = ReadShard(item)) {
      generation = shard->shard.generation;
      known.objects[id->name].filled = true;
    }
    if (generation < kGreatestGeneration) known.generation = std::max(known.generation, generation);
  }
  known_ = std::move(known);
  return Done{};
}

Status WorkloadIndexWriter::Write(const std::string& name,
                                  const std::function<Json(const std::string&)>& object,
                                  const StillLeads& leads, const std::stop_token& stop) {
  if (!leads()) return NotLeading();
  const auto known = known_->objects.find(name);
  const bool create = known == known_->objects.end();
  Json written = object(create ? "" : known->second.version);
  if (!create) KeepMarks(known->second.marks, written);
  HttpRequest request{"POST", ConfigMapsPath(index_), "application/json", written.dump()};
  if (!create) {
    request.method = "PUT";
    request.path += "/" + UrlEncoded(name);
  }
  const auto answer = client_.Send(request, create ? "create" : "update", kResource, stop);
  if (!answer) {
    Error why = answer.error().Wrap("write ConfigMap " + index_.name_space + "/" + name);
    if (create && why.kind == ErrorKind::kDenied)
      why.what += "; the chart creates this ConfigMap: set a greater workloads.index.shards";
    return why;
  }
  const auto id = ReadId(*answer);
  if (!id) return id.error().Wrap("write ConfigMap " + index_.name_space + "/" + name);
  Known::Object& now = known_->objects[name];
  now.version = id->version;
  now.filled = written.contains("data");
  return Done{};
}

Status WorkloadIndexWriter::WriteHead(const IndexHead& head, const StillLeads& leads,
                                      const std::stop_token& stop) {
  return Write(
      index_.name, [&](const std::string& version) { return HeadObject(index_, head, version); },
      leads, stop);
}

std::optional<Error> WorkloadIndexWriter::EmptyLeftovers(const IndexHead& head,
                                                         const StillLeads& leads,
                                                         const std::stop_token& stop) {
  std::vector<std::string> names;
  for (const auto& [name, object] : known_->objects)
    if (object.filled && IsShardOf(index_, head.slot, name) && NumberOf(name) >= head.shards)
      names.push_back(name);
  for (const std::string& name : names) {
    const auto emptied = Write(
        name, [&](const std::string& version) { return EmptyShard(index_, name, version); }, leads,
        stop);
    if (!emptied) return emptied.error();
  }
  return std::nullopt;
}

Result<WorkloadIndexWriter::Published> WorkloadIndexWriter::WriteSet(
    const std::vector<WorkloadReference>& references, SystemTime as_of, const StillLeads& leads,
    const std::stop_token& stop) {
  if (!known_)
    if (auto learned = Learn(stop); !learned) return learned.error();
  IndexHead head;
  head.generation = std::max(known_->generation, newest_) + 1;
  head.slot = known_->slot == 'a' ? 'b' : 'a';
  head.references = references.size();
  head.heartbeat = as_of;
  head.holder = holder_;
  auto shards = EncodeIndex(references, head.generation, max_shard_bytes_);
  if (!shards) return shards.error();
  head.shards = shards->size();
  head.sha256 = shards->front().sha256;
  Published published{head.generation, references.size(), shards->size(), 0};
  // From here on, this number is used, even if the publication fails.
  newest_ = head.generation;
  for (IndexShard& shard : *shards) {
    published.bytes += shard.bytes.size();
    const SlottedShard slotted{head.slot, std::move(shard)};
    const auto written = Write(
        ShardName(index_, slotted.slot, slotted.shard.number),
        [&](const std::string& version) { return ShardObject(index_, slotted, version); }, leads,
        stop);
    if (!written) return written.error();
  }
  if (auto written = WriteHead(head, leads, stop); !written) return written.error();
  known_->generation = head.generation;
  known_->slot = head.slot;
  known_->own = head;
  published.leftover = EmptyLeftovers(head, leads, stop);
  return published;
}

Result<WorkloadIndexWriter::Published> WorkloadIndexWriter::Publish(
    const std::vector<WorkloadReference>& references, SystemTime as_of, const StillLeads& leads,
    const std::stop_token& stop) {
  auto published = WriteSet(references, as_of, leads, stop);
  if (!published) {
    Forget();
    return published.error().Wrap("publish the workload index " + index_.display());
  }
  return published;
}

Status WorkloadIndexWriter::Confirm(SystemTime as_of, const StillLeads& leads,
                                    const std::stop_token& stop) {
  const std::string doing = "heartbeat of the workload index " + index_.display();
  if (!known_ || !known_->own)
    return Error{ErrorKind::kIncomplete, doing + ": nothing was published yet"};
  IndexHead head = *known_->own;
  head.heartbeat = as_of;
  if (auto written = WriteHead(head, leads, stop); !written) {
    Forget();
    return written.error().Wrap(doing);
  }
  known_->own = head;
  return Done{};
}

}  // namespace imagesweep::kube
