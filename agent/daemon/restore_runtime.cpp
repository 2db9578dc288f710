#include "agent/daemon/restore_runtime.h"

#include <utility>

namespace imagesweep {
namespace {

Error NoContainerd() {
  return {ErrorKind::kInvalid,
          "only containerd can add names and import archives, and this runtime is not containerd"};
}

}  // namespace

Result<std::unique_ptr<RuntimeBackend>> RuntimeBackend::Open(
    const std::shared_ptr<cri::Connection>& connection, cri::PullSecret secret, const Clock& clock,
    const std::stop_token& stop) {
  std::unique_ptr<RuntimeBackend> backend(new RuntimeBackend(connection, std::move(secret)));
  const auto identity = backend->runtime_.Identity(stop);
  if (!identity) return identity.error();
  if (identity->name == "containerd")
    backend->importer_ = std::make_unique<containerd::Importer>(connection->channel(), clock);
  return backend;
}

Result<std::vector<Image>> RuntimeBackend::ListImages(const std::stop_token& stop) {
  return runtime_.ListImages(stop);
}

Status RuntimeBackend::Pull(const std::string& reference, const std::stop_token& stop) {
  return puller_.Pull(reference, stop);
}

Result<std::vector<std::string>> RuntimeBackend::AddNames(const std::string& from,
                                                          const std::vector<std::string>& names,
                                                          const std::stop_token& stop) {
  if (!importer_) return NoContainerd();
  return importer_->AddNames(from, names, stop);
}

Result<std::vector<std::string>> RuntimeBackend::Import(const std::string& archive,
                                                        const std::string& id,
                                                        const std::vector<std::string>& names,
                                                        const std::stop_token& stop) {
  if (!importer_) return NoContainerd();
  return importer_->Import(archive, id, names, stop);
}

}  // namespace imagesweep
