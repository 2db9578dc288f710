#include "agent/kube/config_map_watch.h"

#include <utility>

namespace imagesweep::kube {

Result<std::string> ConfigText(const Json& object, const std::string& key,
                               const std::string& display) {
  if (!object.is_object())
    return Error{ErrorKind::kIncomplete, "ConfigMap " + display + " is not an object"};
  auto data = ObjectAt(object, "data");
  if (!data) return std::move(data).error();
  if (*data == nullptr || !(*data)->contains(key))
    return Error{ErrorKind::kNotFound, "ConfigMap " + display + " has no key \"" + key + "\""};
  return TextAt(**data, key.c_str());
}

ConfigMapWatch::ConfigMapWatch(std::string name_space, std::string name, std::string key,
                               OnConfig on_config)
    : display_(name_space + "/" + name), key_(std::move(key)), on_config_(std::move(on_config)) {}

Status ConfigMapWatch::Replace(const ObjectList& list) {
  read_once_ = true;
  if (list.items.empty()) {
    on_config_(Error{ErrorKind::kNotFound, "ConfigMap " + display_ + " does not exist"});
  } else {
    on_config_(ConfigText(list.items.front(), key_, display_));
  }
  return Done{};
}

Status ConfigMapWatch::Apply(EventType type, const Json& object) {
  if (type == EventType::kDeleted) {
    on_config_(Error{ErrorKind::kNotFound, "ConfigMap " + display_ + " was deleted"});
  } else {
    on_config_(ConfigText(object, key_, display_));
  }
  return Done{};
}

void ConfigMapWatch::Lose(const Error& why) {
  if (!read_once_) on_config_(why.Wrap("ConfigMap " + display_));
}

}  // namespace imagesweep::kube
