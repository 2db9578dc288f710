#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "agent/base/guarded.h"
#include "agent/kube/pods/pod_parser.h"
#include "agent/kube/watch/reflector.h"
#include "agent/model/reference.h"

namespace imagesweep::kube {

// The references of pods between two evaluations.
struct Recent {
  std::vector<ImageReference> references;  // each text once
  // False: the watch was lost, so a pod that came and went before the next list was not seen.
  bool complete = true;
};

// The pods that the watch knows and that have image references. The thread of the reflector writes
// it, any thread may read it.
class PodStore final : public ReflectorHandler, private ItemSink {
 public:
  // `on_back` is called on the thread of the reflector when the watch works again after a loss.
  explicit PodStore(std::function<void()> on_back = {}) : on_back_(std::move(on_back)) {}

  ItemSink* sink() override { return this; }
  Status Replace(const ObjectList& list) override;
  Status Apply(EventType type, const Json& object) override;
  void OnSynced() override;
  void OnProgress(SteadyTime at) override;
  void OnDisconnected(const Error& why) override;

  // The references of all known pods. An error before the first list and while the watch is lost.
  Result<std::vector<ImageReference>> References() const;
  // The resourceVersion of the newest list or event. Empty before the first list.
  std::string NewestVersion() const;
  // When the watch last showed that it works. Empty before the first list.
  std::optional<SteadyTime> LastProgressAt() const;
  // Every reference that existed at any time since the last call.
  Recent DrainRecent();

 private:
  using ByUid = std::map<std::string, std::shared_ptr<const Pod>>;
  struct State {
    ByUid pods;
    std::map<std::string, ImageReference> recent;  // by text
    bool recent_complete = true;
    std::string version;
    std::optional<SteadyTime> last_progress_at;
    std::optional<Error> lost = Error{ErrorKind::kIncomplete, "pods: not listed yet"};
    bool listed = false;
  };
  // The items of the list that Replace() completes.
  void Start() override;
  Status Take(const Json& item) override;
  static void Remember(State& state, const Pod& pod);
  void Found(bool was_lost) const;

  const std::function<void()> on_back_;
  ByUid staged_;  // used by the reflector's thread only
  Guarded<State> state_;
};

}  // namespace imagesweep::kube
