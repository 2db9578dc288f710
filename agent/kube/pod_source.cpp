#include "agent/kube/pod_source.h"

#include <charconv>
#include <utility>

namespace imagesweep::kube {
namespace {

constexpr Millis kNodeTimeout = std::chrono::seconds(10);
constexpr Millis kNodeReread = std::chrono::minutes(10);
constexpr Millis kGraceAfterRewind = std::chrono::seconds(60);

}  // namespace

PodSource::PodSource(HttpTransport& transport, const Lister& pods, const PodStore* store, Node node,
                     const Clock& clock, RequestObserver observer)
    : transport_(transport),
      pods_(pods),
      store_(store),
      node_(std::move(node)),
      clock_(clock),
      observer_(std::move(observer)) {}

// A node name that does not exist selects no pods: that is not "nothing runs here".
Status PodSource::ReadNode(const std::stop_token& stop) {
  if (node_.name.empty())  // an empty one would select the pods that are not scheduled yet
    return Error{ErrorKind::kInvalid, "the node's name is empty: set --node-name or NODE_NAME"};
  const SteadyTime now = clock_.Steady();
  if (node_read_at_ && now - *node_read_at_ < kNodeReread) return Done{};
  const auto response =
      transport_.Get("/api/v1/nodes/" + QueryEscape(node_.name), kNodeTimeout, stop);
  if (observer_)
    observer_(
        "get", "nodes",
        response ? std::to_string(response->status) : std::string(ToString(response.error().kind)));
  if (!response) return response.error().Wrap("get node " + node_.name);
  if (response->status == 404)
    return Error{ErrorKind::kNotFound,
                 "node \"" + node_.name +
                     "\" does not exist in this cluster: check --node-name or NODE_NAME"};
  if (response->status != 200)
    return ReadStatus(*response).ToError().Wrap("get node " + node_.name);
  auto json = ParseStrict(response->body);
  if (!json) return json.error().Wrap("get node " + node_.name);
  auto metadata = json->is_object() ? ObjectAt(*json, "metadata") : Result<const Json*>(nullptr);
  if (!metadata) return metadata.error().Wrap("get node " + node_.name);
  if (*metadata == nullptr)
    return Error{ErrorKind::kIncomplete, "get node " + node_.name + ": no metadata"};
  auto uid = TextAt(**metadata, "uid");
  if (!uid) return uid.error().Wrap("get node " + node_.name);
  node_uid_ = *std::move(uid);
  node_read_at_ = now;
  return Done{};
}

// resourceVersions are ordered numbers (KEP-5504).  One that is older than one seen before comes
// from a stale server or a restored etcd; after a minute of it, it is the new truth.
Status PodSource::CheckVersion(const std::string& version) {
  unsigned long long number = 0;
  const auto [end, error] =
      std::from_chars(version.data(), version.data() + version.size(), number);
  if (error != std::errc() || end != version.data() + version.size()) return Done{};
  const SteadyTime now = clock_.Steady();
  if (number < newest_version_) {
    if (!went_back_at_) went_back_at_ = now;
    if (now - *went_back_at_ < kGraceAfterRewind)
      return Error{ErrorKind::kIncomplete,
                   "the API server went back in time (resourceVersion " + version + " after " +
                       std::to_string(newest_version_) + "); waiting a minute"};
  }
  went_back_at_.reset();
  newest_version_ = number;
  return Done{};
}

Result<PodEvidence> PodSource::ListNow(const std::stop_token& stop) {
  if (auto node = ReadNode(stop); !node) return node.error();
  auto listed = pods_.List(stop);
  if (const auto* failure = std::get_if<ListFailure>(&listed)) return failure->error;
  const auto& list = std::get<ObjectList>(listed);
  if (auto version = CheckVersion(list.resource_version); !version) return version.error();
  PodEvidence evidence;
  evidence.resource_version = list.resource_version;
  evidence.node_name = node_.name;
  evidence.node_uid = node_uid_;
  evidence.cluster = node_.cluster;
  for (const Json& item : list.items) {
    auto pod = ParsePod(item);
    if (!pod) return std::move(pod).error();
    evidence.pods.push_back(std::move(pod->key));
    std::move(pod->references.begin(), pod->references.end(),
              std::back_inserter(evidence.references));
  }
  evidence.listed_at = clock_.Steady();
  return evidence;
}

Result<PodEvidence> PodSource::Read(Millis max_age, const std::stop_token& stop) {
  const std::scoped_lock lock(mu_);
  if (!last_ || clock_.Steady() - last_->listed_at > max_age) {
    last_.reset();
    auto fresh = ListNow(stop);
    if (!fresh) return fresh;
    last_ = *std::move(fresh);
  }
  PodEvidence joined = *last_;
  if (store_ == nullptr) return joined;
  auto watched = store_->References();
  if (!watched) return std::move(watched).error();
  std::move(watched->begin(), watched->end(), std::back_inserter(joined.references));
  return joined;
}

}  // namespace imagesweep::kube
