#pragma once

#include <memory>
#include <string>

#include "agent/base/clock.h"
#include "agent/containerd/collector.h"
#include "agent/model/ports.h"

namespace imagesweep::containerd {

// Gives an image names back by containerd's image service, for what its other names stand for.  Any
// thread.
class RecordRestorer final : public NameRestorer {
 public:
  struct Options {
    std::string cri_namespace = "k8s.io";
    Millis timeout = std::chrono::minutes(2);
  };
  RecordRestorer(const std::shared_ptr<grpc::Channel>& channel, Options options);
  ~RecordRestorer() override;

  // kIncomplete: what a name stood for is not known, since the others stand for several things.
  Status GiveBack(const Image& image, const std::vector<std::string>& names,
                  const std::stop_token& stop) override;

 private:
  const std::unique_ptr<Collector::Stubs> stubs_;
  const Options options_;
};

}  // namespace imagesweep::containerd
