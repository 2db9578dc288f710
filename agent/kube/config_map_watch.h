#pragma once

#include <functional>
#include <optional>
#include <string>

#include "agent/kube/reflector.h"

namespace imagesweep::kube {

// One key of one ConfigMap: its text, or why there is none.
using OnConfig = std::function<void(const Result<std::string>& text)>;
// Whether what was told of it last is known to be true at this moment: empty when the server showed
// that, else why it cannot be read.
using OnSight = std::function<void(const std::optional<Error>& lost)>;

// Tells of every change of it; called on the reflector's thread, also with the same text again.
class ConfigMapWatch final : public ReflectorHandler {
 public:
  ConfigMapWatch(const std::string& name_space, std::string name, std::string key,
                 OnConfig on_config, OnSight on_sight = {});

  Status Replace(const ObjectList& list) override;
  Status Apply(EventType type, const Json& object) override;
  // After a Lose that was told of: what was read last is good again.
  void Confirm() override;
  void Heard(SteadyTime at) override;
  // Not to be read for a while: what was read last stays good, and `on_sight` alone is told.  But
  // who may not watch it would not see an edit for long, and must hear of that at once.
  void Lose(const Error& why) override;

 private:
  void Tell(Result<std::string> text);
  Status Check(const Json& object) const;

  const std::string name_;
  const std::string display_;  // "NAMESPACE/NAME"
  const std::string key_;
  const OnConfig on_config_;
  const OnSight on_sight_;
  std::optional<Result<std::string>> last_;  // what was read last
  bool denied_ = false;                      // and no longer holds, as was told
};

// The text of the key in this ConfigMap object; kInvalid when it has no such key,
// or has it as binary data.
Result<std::string> ConfigText(const Json& object, const std::string& key,
                               const std::string& display);

}  // namespace imagesweep::kube
