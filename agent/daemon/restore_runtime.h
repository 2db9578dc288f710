#pragma once

#include <memory>
#include <string>
#include <vector>

#include "agent/daemon/restore.h"
#include "agent/runtime/containerd/import.h"
#include "agent/runtime/cri/connection.h"
#include "agent/runtime/cri/image_puller.h"
#include "agent/runtime/cri/runtime.h"

namespace imagesweep {

// The real runtime: pulls through the CRI; on containerd, its own services add names and import
// archives.
class RuntimeBackend final : public RestoreBackend {
 public:
  // Error: the runtime did not report its identity.  `clock` must outlive the result.
  static Result<std::unique_ptr<RuntimeBackend>> Open(
      const std::shared_ptr<cri::Connection>& connection, cri::PullSecret secret,
      const Clock& clock, const std::stop_token& stop);

  Result<std::vector<Image>> ListImages(const std::stop_token& stop) override;
  Status Pull(const std::string& reference, const std::stop_token& stop) override;
  bool makes_names() const override { return importer_ != nullptr; }
  Result<std::vector<std::string>> AddNames(const std::string& from,
                                            const std::vector<std::string>& names,
                                            const std::stop_token& stop) override;
  Result<std::vector<std::string>> Import(const std::string& archive, const std::string& id,
                                          const std::vector<std::string>& names,
                                          const std::stop_token& stop) override;

 private:
  RuntimeBackend(const std::shared_ptr<cri::Connection>& connection, cri::PullSecret secret)
      : runtime_(connection), puller_(connection, std::chrono::minutes(15), std::move(secret)) {}

  cri::Runtime runtime_;
  cri::ImagePuller puller_;
  std::unique_ptr<containerd::Importer> importer_;  // null: not containerd
};

}  // namespace imagesweep
