#pragma once

#include <memory>
#include <stop_token>

#include "agent/model/image_build.h"
#include "agent/runtime/cri/connection.h"

namespace imagesweep::cri {

// The labels and the history in the config of an image, from ImageStatus(verbose).  Any thread.
class CriBuildReader final : public BuildReader {
 public:
  explicit CriBuildReader(std::shared_ptr<Connection> connection);
  Result<BuildFacts> ReadBuild(const Image& image, const std::stop_token& stop) override;

 private:
  const std::shared_ptr<Connection> connection_;
};

}  // namespace imagesweep::cri
