#pragma once

#include <functional>
#include <optional>
#include <string>

#include "agent/kube/watch/reflector.h"

namespace imagesweep::kube {

// The text of one key of one ConfigMap, or the reason why there is none.
using OnConfig = std::function<void(const Result<std::string>& text)>;
// Tells whether the last text is known to be current. Empty if the server has shown that it is,
// otherwise the reason why the ConfigMap cannot be read.
using OnReadStatus = std::function<void(const std::optional<Error>& lost)>;

// Reports every change of the key. Called on the thread of the reflector, also with the same text
// again.
class ConfigMapWatch final : public ReflectorHandler {
 public:
  ConfigMapWatch(const std::string& name_space, std::string name, std::string key,
                 OnConfig on_config, OnReadStatus on_read_status = {});

  Status Replace(const ObjectList& list) override;
  Status Apply(EventType type, const Json& object) override;
  // After an OnDisconnected that was reported, the last text is valid again.
  void OnSynced() override;
  void OnProgress(SteadyTime at) override;
  // A ConfigMap that cannot be read for a while keeps its last text, and only `on_read_status` is
  // called. A denied watch is different: an edit would stay unseen for a long time, so `on_config`
  // is called at once.
  void OnDisconnected(const Error& why) override;

 private:
  void Report(Result<std::string> text);
  Status Check(const Json& object) const;

  const std::string name_;
  const std::string display_;  // "NAMESPACE/NAME"
  const std::string key_;
  const OnConfig on_config_;
  const OnReadStatus on_read_status_;
  std::optional<Result<std::string>> last_;  // the last result
  bool denied_ = false;                      // access is denied, which was reported
};

// The text of the key in this ConfigMap object. kInvalid if the key is missing or holds binary
// data.
Result<std::string> ConfigText(const Json& object, const std::string& key,
                               const std::string& display);

}  // namespace imagesweep::kube
