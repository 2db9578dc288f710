#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "agent/base/guarded.h"
#include "agent/model/ports.h"
#include "agent/runtime/cri/connection.h"

namespace imagesweep::cri {

// Reads a runtime through CRI v1. Every method returns a complete and current answer, or an error
// that names the failed call: never an old answer, and never a part of one. Each takes at most the
// connection's read_timeout. Thread-safe.
class Runtime final : public RuntimeReader {
 public:
  explicit Runtime(std::shared_ptr<Connection> connection);
  ~Runtime() override;

  // Reads Version and the inode of the socket file. If the identity is not the last one, everything
  // remembered of the runtime is dropped.
  Result<RuntimeIdentity> Identity(const std::stop_token& stop) override;
  Result<std::vector<Image>> ListImages(const std::stop_token& stop) override;
  Result<std::optional<Image>> ImageStatus(const ImageId& id, const std::stop_token& stop) override;
  Result<RuntimeUse> ReadUse(const std::stop_token& stop) override;
  Result<RuntimeUse> ReadContainers(const std::stop_token& stop) override;
  Result<std::vector<std::string>> ImageFilesystems(const std::stop_token& stop) override;

 private:
  struct Memory;
  const std::shared_ptr<Connection> connection_;
  const std::unique_ptr<Memory> memory_;
};

}  // namespace imagesweep::cri
