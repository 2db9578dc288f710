#include "agent/kube/client/event_writer.h"

#include <utility>

#include "agent/base/codec.h"
#include "agent/kube/client/micro_time.h"

namespace imagesweep::kube {
namespace {

constexpr const char* kEvents = "/apis/events.k8s.io/v1/namespaces/default/events";
constexpr std::size_t kMaxNote = 1024;  // k8s.io/kubernetes, pkg/apis/core/validation/events.go
constexpr std::size_t kMaxInstance = 128;

// Printable, and no longer than the server accepts.
std::string Note(const std::string& text) {
  std::string note;
  for (const char c : text) note += c >= ' ' && c <= '~' ? c : '?';
  if (note.size() > kMaxNote) note = note.substr(0, kMaxNote - 3) + "...";
  return note;
}

}  // namespace

Json EventObject(const NodeEventWrite& write, const std::string& node, const std::string& uid,
                 const std::string& instance) {
  return {{"apiVersion", "events.k8s.io/v1"},
          {"kind", "Event"},
          {"metadata", {{"name", write.name}, {"namespace", "default"}}},
          {"eventTime", MicroTime(write.first)},
          {"reportingController", "imagesweep"},
          {"reportingInstance", instance.substr(0, kMaxInstance)},
          {"type", write.event.warning ? "Warning" : "Normal"},
          {"reason", write.event.reason},
          {"action", write.event.action},
          {"note", Note(write.event.note)},
          {"regarding", {{"apiVersion", "v1"}, {"kind", "Node"}, {"name", node}, {"uid", uid}}}};
}

Json SeriesPatch(const NodeEventWrite& write) {
  return {{"series", {{"count", write.count}, {"lastObservedTime", MicroTime(write.last)}}}};
}

EventWriter::EventWriter(HttpTransport& transport, std::string node, std::string instance,
                         RequestObserver observer)
    : client_(transport, std::move(observer)),
      node_(std::move(node)),
      instance_(std::move(instance)) {}

Result<std::string> EventWriter::NodeUid(const std::stop_token& stop) {
  if (uid_) return *uid_;
  const auto node = client_.Get("/api/v1/nodes/" + UrlEncoded(node_), "nodes", stop);
  if (!node) return node.error();
  const auto metadata = ObjectAt(*node, "metadata");
  if (!metadata) return metadata.error();
  if (*metadata == nullptr) return Error{ErrorKind::kIncomplete, "it has no metadata"};
  const auto uid = TextAt(**metadata, "uid");
  if (!uid) return uid.error();
  if (uid->empty()) return Error{ErrorKind::kIncomplete, "it has no uid"};
  uid_ = *uid;
  return *uid;
}

Status EventWriter::Write(const NodeEventWrite& write, const std::stop_token& stop) {
  const std::scoped_lock lock(mu_);
  HttpRequest request{"PATCH", std::string(kEvents) + "/" + UrlEncoded(write.name),
                      "application/merge-patch+json", SeriesPatch(write).dump()};
  if (!write.exists) {
    const auto uid = NodeUid(stop);
    if (!uid) return uid.error().Wrap("write event: get node " + node_);
    request = {"POST", kEvents, "application/json",
               EventObject(write, node_, *uid, instance_).dump()};
  }
  const auto answer = client_.Send(request, write.exists ? "patch" : "create", "events", stop);
  // A conflict means that the request arrived twice over a broken connection, so the event exists.
  if (answer || (!write.exists && answer.error().kind == ErrorKind::kIncomplete)) return Done{};
  return answer.error().Wrap("write event " + write.name + " in namespace default");
}

}  // namespace imagesweep::kube
