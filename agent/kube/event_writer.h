#pragma once

#include <mutex>
#include <optional>
#include <stop_token>
#include <string>

#include "agent/kube/object_client.h"
#include "agent/model/node_event.h"

namespace imagesweep::kube {

// Writes events (events.k8s.io/v1) about one Node.  They live in namespace "default", as those of
// every object without a namespace, and carry the Node's real UID, without which `kubectl describe
// node` does not show them (kubernetes/kubectl#1838).  Any thread.
class EventWriter {
 public:
  // `instance`: who reports, e.g. the pod's name.
  EventWriter(HttpTransport& transport, std::string node, std::string instance,
              RequestObserver observer);

  // A new event, or one that goes on: then kNotFound when the server no longer has it.
  Status Write(const NodeEventWrite& write, const std::stop_token& stop);

 private:
  Result<std::string> NodeUid(const std::stop_token& stop);

  const ObjectClient client_;
  const std::string node_;
  const std::string instance_;
  std::mutex mu_;
  std::optional<std::string> uid_;
};

// The object as it is created; pure.
Json EventObject(const NodeEventWrite& write, const std::string& node, const std::string& uid,
                 const std::string& instance);
// The patch that makes it a series; pure.
Json SeriesPatch(const NodeEventWrite& write);

}  // namespace imagesweep::kube
