#include "agent/kube/pods/pod_source.h"

#include <iterator>
#include <utility>

#include "agent/base/codec.h"

namespace imagesweep::kube {
namespace {

constexpr Millis kNodeTimeout = std::chrono::seconds(10);
constexpr Millis kMaxWatchSilence = std::chrono::seconds(5);  // within this time
constexpr Millis kNodeReread = std::chrono::minutes(1);       // each run sees the current labels

// Turns the pods of a list into evidence.
class EvidenceOf final : public ItemSink {
 public:
  explicit EvidenceOf(PodEvidence& evidence) : evidence_(evidence) {}
  void Start() override { evidence_ = {}; }
  Status Take(const Json& item) override {
    auto pod = ParsePod(item);
    if (!pod) return std::move(pod).error();
    evidence_.unfinished += pod->finished ? 0 : 1;
    evidence_.ready += pod->ready && !pod->finished ? 1 : 0;
    evidence_.pods.push_back(std::move(pod->key));
    std::move(pod->references.begin(), pod->references.end(),
              std::back_inserter(evidence_.references));
    return Done{};
  }

 private:
  PodEvidence& evidence_;
};

}  // namespace

PodSource::PodSource(HttpTransport& transport, const Lister& pods, const PodStore* store, Node node,
                     const Clock& clock, RequestObserver observer)
    : transport_(transport),
      pods_(pods),
      store_(store),
      node_(std::move(node)),
      clock_(clock),
      observer_(std::move(observer)) {}

// The name of a node that does not exist selects no pods, which must not mean "nothing runs here".
Status PodSource::ReadNode(const std::stop_token& stop) {
  if (node_.name.empty())  // an empty name would select the pods that are not scheduled yet
    return Error{ErrorKind::kInvalid, "the node's name is empty: set --node-name or NODE_NAME"};
  const SteadyTime now = clock_.Steady();
  if (node_read_at_ && now - *node_read_at_ < kNodeReread) return Done{};
  // Keeps only the needed part of the Node object, which the kubelet and others write.
  static const Keep kNode =
      KeepFields({{"metadata", KeepFields({{"uid", {}}, {"labels", KeepAll()}})}});
  std::string kept;
  JsonFilter filter(kNode, [&](std::string_view text) {
    kept = text;
    return true;
  });
  const auto response = transport_.Fetch(
      "/api/v1/nodes/" + UrlEncoded(node_.name), kNodeTimeout, stop, [&](std::string_view piece) {
        return filter.Feed(piece) == JsonFilter::FeedResult::kNeedMore;
      });
  if (observer_) observer_("get", "nodes", CodeOf(response));
  if (!response) return response.error().Wrap("get node " + node_.name);
  if (response->status == 404)
    return Error{ErrorKind::kNotFound,
                 "node \"" + node_.name +
                     "\" does not exist in this cluster: check --node-name or NODE_NAME"};
  if (response->status != 200) {
    const ApiStatus status = ReadStatus(*response);
    return RememberRetryAfter(status.ToError().Wrap("get node " + node_.name), status.retry_after);
  }
  auto json = ParseStrict(kept);
  if (!json) return json.error().Wrap("get node " + node_.name);
  auto metadata = json->is_object() ? ObjectAt(*json, "metadata") : Result<const Json*>(nullptr);
  if (!metadata) return metadata.error().Wrap("get node " + node_.name);
  if (*metadata == nullptr)
    return Error{ErrorKind::kIncomplete, "get node " + node_.name + ": no metadata"};
  auto uid = TextAt(**metadata, "uid");
  if (!uid) return uid.error().Wrap("get node " + node_.name);
  if (uid->empty())
    return Error{ErrorKind::kIncomplete, "get node " + node_.name + ": it has no uid"};
  std::map<std::string, std::string> labels;
  auto written = ObjectAt(**metadata, "labels");
  if (!written) return written.error().Wrap("get node " + node_.name);
  if (*written != nullptr)
    for (const auto& [name, value] : (*written)->items()) {
      if (!value.is_string())
        return Error{ErrorKind::kIncomplete,
                     "get node " + node_.name + ": a label is not a string"};
      labels[name] = value.get<std::string>();
    }
  node_labels_ = std::move(labels);
  node_uid_ = *std::move(uid);
  node_read_at_ = now;
  return Done{};
}

Error PodSource::RememberRetryAfter(Error why, const std::optional<Millis>& retry_after) {
  if (retry_after) wait_ = Wait{clock_.Steady() + *retry_after, why};
  return why;
}

Result<PodEvidence> PodSource::ListNow(const std::stop_token& stop) {
  if (wait_ && clock_.Steady() < wait_->until) return Error(wait_->why);
  wait_.reset();
  if (auto node = ReadNode(stop); !node) return node.error();
  // Read before the list, so that an event during the list does not make it look old.
  const std::string watched = store_ == nullptr ? std::string() : store_->NewestVersion();
  PodEvidence evidence;
  EvidenceOf sink(evidence);
  auto listed = pods_.List("", stop, &sink);
  if (const auto* failure = std::get_if<ListFailure>(&listed))
    return RememberRetryAfter(failure->error, failure->retry_after);
  const auto& list = std::get<ObjectList>(listed);
  if (auto version = rewind_.Check(list.resource_version, watched, clock_.Steady()); !version)
    return version.error().Wrap("list pods");
  evidence.resource_version = list.resource_version;
  evidence.node_name = node_.name;
  evidence.node_uid = node_uid_;
  evidence.node_labels = node_labels_;
  evidence.cluster = node_.cluster;
  evidence.listed_at = clock_.Steady();
  return evidence;
}

bool PodSource::watches() const {
  if (store_ == nullptr) return false;
  const auto last_progress_at = store_->LastProgressAt();
  return last_progress_at && clock_.Steady() - *last_progress_at <= kMaxWatchSilence;
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
