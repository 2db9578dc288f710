#include "agent/kube/watch/config_map_watch.h"

#include <utility>

namespace imagesweep::kube {

Result<std::string> ConfigText(const Json& object, const std::string& key,
                               const std::string& display) {
  if (!object.is_object())
    return Error{ErrorKind::kIncomplete, "ConfigMap " + display + " is not an object"};
  auto data = ObjectAt(object, "data");
  if (!data) return std::move(data).error();
  if (*data == nullptr || !(*data)->contains(key)) {
    auto binary = ObjectAt(object, "binaryData");
    if (!binary) return std::move(binary).error();
    if (*binary != nullptr && (*binary)->contains(key))
      return Error{ErrorKind::kInvalid,
                   "ConfigMap " + display + ": key \"" + key +
                       "\" is in binaryData, because it is not UTF-8; save the file as UTF-8"};
    return Error{ErrorKind::kInvalid, "ConfigMap " + display + " has no key \"" + key + "\""};
  }
  return TextAt(**data, key.c_str());
}

ConfigMapWatch::ConfigMapWatch(const std::string& name_space, std::string name, std::string key,
                               OnConfig on_config, OnReadStatus on_read_status)
    : name_(std::move(name)),
      display_(name_space + "/" + name_),
      key_(std::move(key)),
      on_config_(std::move(on_config)),
      on_read_status_(std::move(on_read_status)) {}

// A server or proxy that ignores the selector must not turn another ConfigMap into the policy.
Status ConfigMapWatch::Check(const Json& object) const {
  const Error other{ErrorKind::kIncomplete, "the object is not ConfigMap " + display_};
  if (!object.is_object()) return other;
  auto kind = TextAt(object, "kind");  // absent within a list
  auto metadata = ObjectAt(object, "metadata");
  if (!kind) return std::move(kind).error();
  if (!metadata) return std::move(metadata).error();
  if ((!kind->empty() && *kind != "ConfigMap") || *metadata == nullptr) return other;
  auto name = TextAt(**metadata, "name");
  if (!name) return std::move(name).error();
  if (*name != name_) return other;
  return Done{};
}

Status ConfigMapWatch::Replace(const ObjectList& list) {
  for (const Json& item : list.items)
    if (auto status = Check(item); !status) return status;
  if (list.items.empty()) {
    Report(Error{ErrorKind::kNotFound, "ConfigMap " + display_ + " does not exist"});
  } else {
    Report(ConfigText(list.items.front(), key_, display_));
  }
  return Done{};
}

Status ConfigMapWatch::Apply(EventType type, const Json& object) {
  if (auto status = Check(object); !status) return status;
  if (type == EventType::kDeleted) {
    Report(Error{ErrorKind::kNotFound, "ConfigMap " + display_ + " was deleted"});
  } else {
    Report(ConfigText(object, key_, display_));
  }
  return Done{};
}

void ConfigMapWatch::OnProgress(SteadyTime /*at*/) {
  if (last_ && on_read_status_) on_read_status_({});
}

void ConfigMapWatch::OnDisconnected(const Error& why) {
  if (on_read_status_) on_read_status_(why.Wrap("ConfigMap " + display_));
  if (last_ && why.kind != ErrorKind::kDenied) return;
  denied_ = true;
  on_config_(why.Wrap("ConfigMap " + display_));
}

void ConfigMapWatch::OnSynced() {
  if (!std::exchange(denied_, false) || !last_) return;
  on_config_(*last_);
}

void ConfigMapWatch::Report(Result<std::string> text) {
  denied_ = false;
  last_ = std::move(text);
  on_config_(*last_);
}

}  // namespace imagesweep::kube
