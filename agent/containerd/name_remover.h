#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>

#include "agent/base/clock.h"
#include "agent/containerd/collector.h"
#include "agent/model/ports.h"

namespace imagesweep::containerd {

// Drops a tag as containerd's own record of it, which the CRI plugin follows by containerd's
// events. Nothing comes free, so it waits for no garbage collection.
//
// Right before, it reads that another tag of the image is there, then the record itself.  What was
// read is not true for ever, but from 2.0 on containerd compares what the record stands for within
// its own transaction.
//
// Source: containerd, api/services/images/v1/images.proto (DeleteImageRequest),
// core/metadata/images.go (Delete; created_at, updated_at: when the record was made and last
// written, a repeated pull included).  Any thread.
class RecordRemover final : public NameRemover {
 public:
  struct Options {
    std::string cri_namespace = "k8s.io";
    Millis timeout = std::chrono::seconds(5);
  };
  RecordRemover(const std::shared_ptr<grpc::Channel>& channel, Options options);
  ~RecordRemover() override;

  // kIncomplete, and nothing was done, also when: the image has no digest of a registry; `name` is
  // no tag of it; it has no other tag; containerd has no record of the name, or does not say when
  // it was written.
  Status Drop(const Image& image, const ImageName& name, SystemTime not_since,
              const std::stop_token& stop) override;

 private:
  const std::unique_ptr<Collector::Stubs> stubs_;
  const Options options_;
};

}  // namespace imagesweep::containerd
