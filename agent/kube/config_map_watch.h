#pragma once

#include <functional>
#include <string>

#include "agent/kube/reflector.h"

namespace imagesweep::kube {

// One key of one ConfigMap: its text, or why there is none.
using OnConfig = std::function<void(const Result<std::string>& text)>;

// Tells of every change of it; called on the reflector's thread, also with the same text again.
class ConfigMapWatch final : public ReflectorHandler {
 public:
  ConfigMapWatch(const std::string& name_space, std::string name, std::string key,
                 OnConfig on_config);

  Status Replace(const ObjectList& list) override;
  Status Apply(EventType type, const Json& object) override;
  void Confirm() override {}
  // Not to be read for a while: what was read last stays good.
  void Lose(const Error& why) override;

 private:
  Status Check(const Json& object) const;

  const std::string name_;
  const std::string display_;  // "NAMESPACE/NAME"
  const std::string key_;
  const OnConfig on_config_;
  bool read_once_ = false;
};

// The text of the key in this ConfigMap object; kNotFound when it has no such key.
Result<std::string> ConfigText(const Json& object, const std::string& key,
                               const std::string& display);

}  // namespace imagesweep::kube
