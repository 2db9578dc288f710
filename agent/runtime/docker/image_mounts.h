#pragma once

#include <map>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "agent/base/guarded.h"
#include "agent/base/result.h"
#include "agent/runtime/docker/client.h"
#include "agent/runtime/docker/engine.h"

namespace imagesweep::docker {

// What only GET /containers/{id}/json tells about a container.
struct InspectedContainer {
  std::string image_id;                          // "sha256:…"
  std::string created;                           // RFC 3339
  std::vector<std::string> mounted_images = {};  // as its creator named them
};
// Empty: the container is gone.
Result<std::optional<InspectedContainer>> InspectContainer(const Client& client,
                                                           const std::string& id,
                                                           const std::stop_token& stop);

// The images that containers mount as volumes. Docker uses the image that the name meant when the
// container was created, and then reports the name alone, which may mean another image today. So
// each name needs a proof: it is an ID, it has a digest by which Docker still finds an image, or
// its image got its last name before the container was created. The last one holds for the
// containerd image store only, because Docker's own store does not record the time of a pull.
// Source: moby, daemon/volumes.go. Thread-safe.
class ImageMounts {
 public:
  struct Found {
    std::vector<std::string> ids;
    bool asked = false;  // the daemon was asked, so containers may have appeared meanwhile
  };
  // The IDs of the images that the container mounts by a name; it mounts at least one image.
  // Remembered while it is listed. kIncomplete: there is no proof.
  Result<Found> ImagesOf(const Client& client, const ListedContainer& container,
                         const std::stop_token& stop);
  // Forgets all other containers.
  void KeepOnly(const std::set<std::string>& containers);

 private:
  Guarded<std::map<std::string, std::vector<std::string>>> known_;  // by the ID of the container
};

}  // namespace imagesweep::docker
