#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "agent/model/ports.h"
#include "agent/runtime/docker/client.h"

namespace imagesweep::docker {

// Gives names to images with POST /images/{id}/tag. Thread-safe.
class EngineNameRestorer final : public NameRestorer {
 public:
  // `client` must outlive this object.
  explicit EngineNameRestorer(const Client& client) : client_(client) {}
  // Names with a digest cannot be created again: only a pull makes them. They are left out.
  Status RestoreNames(const Image& image, const std::vector<std::string>& names,
                      const std::stop_token& stop) override;

 private:
  const Client& client_;
};

// Gives the image `id` the name `name`. A name that now refers to another image stays there,
// without an error.
Status AddName(const Client& client, const std::string& id, const std::string& name,
               const std::stop_token& stop);

}  // namespace imagesweep::docker
