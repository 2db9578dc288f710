#pragma once

#include <memory>
#include <string>

#include "agent/base/clock.h"
#include "agent/model/ports.h"
#include "agent/runtime/containerd/metadata_reader.h"

namespace imagesweep::containerd {

// Gives an image its names back through containerd's image service. The other names of the image
// give the target. Thread-safe.
class RecordRestorer final : public NameRestorer {
 public:
  struct Options {
    std::string cri_namespace = "k8s.io";
    Millis timeout = std::chrono::minutes(2);
  };
  RecordRestorer(const std::shared_ptr<grpc::Channel>& channel, Options options);
  ~RecordRestorer() override;

  // kIncomplete: the target of a name is unknown, because the other names have several targets.
  Status RestoreNames(const Image& image, const std::vector<std::string>& names,
                      const std::stop_token& stop) override;

 private:
  const std::unique_ptr<MetadataReader::Stubs> stubs_;
  const Options options_;
};

}  // namespace imagesweep::containerd
