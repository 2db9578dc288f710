#pragma once

#include <stop_token>

#include "agent/model/image_build.h"
#include "agent/runtime/docker/client.h"

namespace imagesweep::docker {

// The labels of an image, and its history (GET /images/{id}/history).  Thread-safe.
class EngineBuildReader final : public BuildReader {
 public:
  // `client` must outlive this object.
  explicit EngineBuildReader(const Client& client) : client_(client) {}
  Result<BuildFacts> ReadBuild(const Image& image, const std::stop_token& stop) override;

 private:
  const Client& client_;
};

}  // namespace imagesweep::docker
