#include "agent/kube/pods/volumes.h"

namespace imagesweep::kube {

Keep VolumeKeep() {
  const Keep attributes = KeepFields({{"image", {}}});
  return KeepFields({{"name", {}},
                     {"image", KeepFields({{"reference", {}}})},
                     {"csi", KeepFields({{"volumeAttributes", attributes}})}});
}

std::string CsiImage(const Json& volume) {
  const Json::json_pointer path("/csi/volumeAttributes/image");
  if (!volume.is_object() || !volume.contains(path)) return "";
  const Json& image = volume.at(path);
  return image.is_string() ? image.get<std::string>() : "";
}

}  // namespace imagesweep::kube
