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
#include "agent/kube/pod_parser.h"
#include "agent/kube/recent.h"
#include "agent/kube/reflector.h"

namespace imagesweep::kube {

// The pods that the watch knows, as far as they name images.  Written by the reflector's thread,
// read by any.
class PodStore final : public ReflectorHandler, private ItemSink {
 public:
  // `on_back`: called on the reflector's thread when the watch lives again after it was lost.
  explicit PodStore(std::function<void()> on_back = {}) : on_back_(std::move(on_back)) {}

  ItemSink* sink() override { return this; }
  Status Replace(const ObjectList& list) override;
  Status Apply(EventType type, const Json& object) override;
  void Confirm() override;
  void Heard(SteadyTime at) override;
  void Lose(const Error& why) override;

  // References of all known pods; an error before the first list and while the watch is lost.
  Result<std::vector<ImageReference>> References() const;
  // resourceVersion of the newest list or event; empty before the first list.
  std::string NewestVersion() const;
  // When the watch last showed that it lives; empty before the first list.
  std::optional<SteadyTime> HeardAt() const;
  // Every reference that was there at any time since the last call.
  Recent DrainRecent();

 private:
  using ByUid = std::map<std::string, std::shared_ptr<const Pod>>;
  struct State {
    ByUid pods;
    std::map<std::string, ImageReference> recent;  // by text
    bool recent_complete = true;
    std::string version;
    std::optional<SteadyTime> heard_at;
    std::optional<Error> lost = Error{ErrorKind::kIncomplete, "pods: not listed yet"};
    bool listed = false;
  };
  // Items of the list that Replace() ends.
  void Start() override;
  Status Take(const Json& item) override;
  static void Remember(State& state, const Pod& pod);
  void Found(bool was_lost) const;

  const std::function<void()> on_back_;
  ByUid staged_;  // of the reflector's thread
  Guarded<State> state_;
};

}  // namespace imagesweep::kube
