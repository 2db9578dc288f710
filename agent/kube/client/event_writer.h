#pragma once

#include <mutex>
#include <optional>
#include <stop_token>
#include <string>

#include "agent/kube/client/object_client.h"
#include "agent/model/node_event.h"

namespace imagesweep::kube {

// Writes events (events.k8s.io/v1) about one Node. They are in namespace "default", as are the
// events of every object without a namespace. They carry the real UID of the Node, because `kubectl
// describe node` does not show them otherwise (kubernetes/kubectl#1838). Thread-safe.
class EventWriter {
 public:
  // `instance`: the reporting instance, for example the name of the pod.
  EventWriter(HttpTransport& transport, std::string node, std::string instance,
              RequestObserver observer);

  // Writes a new event, or continues one. kNotFound if the server no longer has the event to
  // continue.
  Status Write(const NodeEventWrite& write, const std::stop_token& stop);

 private:
  Result<std::string> NodeUid(const std::stop_token& stop);

  const ObjectClient client_;
  const std::string node_;
  const std::string instance_;
  std::mutex mu_;
  std::optional<std::string> uid_;
};

// The object of a new event. Pure.
Json EventObject(const NodeEventWrite& write, const std::string& node, const std::string& uid,
                 const std::string& instance);
// The patch that turns the event into a series. Pure.
Json SeriesPatch(const NodeEventWrite& write);

}  // namespace imagesweep::kube
