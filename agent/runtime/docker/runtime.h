#pragma once

#include <memory>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "agent/base/guarded.h"
#include "agent/model/ports.h"
#include "agent/runtime/docker/client.h"
#include "agent/runtime/docker/engine.h"
#include "agent/runtime/docker/image_mounts.h"

namespace imagesweep::docker {

// Reads the Docker Engine through its API: the images, and every container in every state, also
// those that no CRI lists. Every method returns a complete and current answer, or an error that
// names the failed request. Thread-safe.
class Runtime final : public RuntimeReader {
 public:
  // `client` must outlive this object.
  explicit Runtime(const Client& client) : client_(client) {}

  // name "docker", the version of the daemon, and the endpoint. kIncomplete, once: the ID or the
  // data directory of the daemon is not that of the last call, although the socket is the same.
  Result<RuntimeIdentity> Identity(const std::stop_token& stop) override;
  // Intermediate images of the classic builder are not listed: they belong to the images that are
  // built on them.  Of images without a name, Image::had_tag tells what Docker's own store
  // recorded.
  Result<std::vector<Image>> ListImages(const std::stop_token& stop) override;
  // Without the size.
  Result<std::optional<Image>> ImageStatus(const ImageId& id, const std::stop_token& stop) override;
  // A container needs the image with its ImageID, the image that its text names now, and those that
  // it mounts as volumes. On a node in a swarm, the services of the swarm need their images, too.
  // kIncomplete: a container without ImageID; a mounted image that is not known (see ImageMounts);
  // the services cannot be read, which only the managers of a swarm can.
  Result<RuntimeUse> ReadUse(const std::stop_token& stop) override;
  // Without the services, which change far less often than containers.
  Result<RuntimeUse> ReadContainers(const std::stop_token& stop) override;
  // DockerRootDir, which is the image filesystem.
  Result<std::vector<std::string>> ImageFilesystems(const std::stop_token& stop) override;

  Result<EngineInfo> Info(const std::stop_token& stop) const;
  // The digests of the unpacked layers, lowest first. Empty: the image is gone.
  Result<std::vector<std::string>> DiffIds(const ImageId& id, const std::stop_token& stop) const;

 private:
  Status MarkThoseThatHadATag(std::vector<Image>& images, const std::stop_token& stop);

  const Client& client_;
  ImageMounts mounts_;
  Guarded<std::set<std::string>> had_tag_;  // images without a name; a recorded tag stays recorded
  Guarded<std::string> daemon_;             // its ID and its data directory
};

}  // namespace imagesweep::docker
