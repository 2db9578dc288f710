#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "agent/base/guarded.h"
#include "agent/cri/connection.h"
#include "agent/model/ports.h"

namespace imagesweep::cri {

// Reads a runtime over CRI v1.  Every method is one look: complete, or an error that says which
// call failed; never an old answer, and never half of one.  Each takes at most the connection's
// read_timeout.  Any thread.
class Runtime final : public RuntimeReader {
 public:
  explicit Runtime(std::shared_ptr<Connection> connection);
  ~Runtime() override;

  // Version, and the socket file's inode.  Forgets everything remembered of the runtime when it is
  // not the same as last time.
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
