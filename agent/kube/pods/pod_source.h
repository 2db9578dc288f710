#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "agent/kube/client/lister.h"
#include "agent/kube/pods/pod_store.h"
#include "agent/kube/watch/reflector.h"
#include "agent/model/ports.h"

namespace imagesweep::kube {

// The pods of one node for the decision about a deletion: the union of a consistent list and the
// pods that the watch knows. A pod known to either counts. Thread-safe.
class PodSource final : public PodReader {
 public:
  struct Node {
    std::string name;
    std::string cluster;  // fingerprint of server and CA
  };
  // `store` is null without a watch (on the command line).
  PodSource(HttpTransport& transport, const Lister& pods, const PodStore* store, Node node,
            const Clock& clock, RequestObserver observer);

  Result<PodEvidence> Read(Millis max_age, const std::stop_token& stop) override;
  // Also false if the watch has been silent for some seconds, because it may be dead.
  bool watches() const override;

 private:
  Status ReadNode(const std::stop_token& stop);
  Result<PodEvidence> ListNow(const std::stop_token& stop);
  Error RememberRetryAfter(Error why, const std::optional<Millis>& retry_after);

  HttpTransport& transport_;
  const Lister& pods_;
  const PodStore* store_;
  const Node node_;
  const Clock& clock_;
  const RequestObserver observer_;

  std::mutex mu_;
  std::string node_uid_;
  std::map<std::string, std::string> node_labels_;
  std::optional<SteadyTime> node_read_at_;
  std::optional<PodEvidence> last_;
  RewindGuard rewind_;
  // The server asked to wait until then (Retry-After), with this error.
  struct Wait {
    SteadyTime until;
    Error why;
  };
  std::optional<Wait> wait_;
};

}  // namespace imagesweep::kube
