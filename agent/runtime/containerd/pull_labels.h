#pragma once

#include "agent/model/ports.h"
#include "agent/runtime/containerd/cached_graph_reader.h"

namespace imagesweep::containerd {

// The labels `containerd.io/distribution.source.HOST` that a pull writes on the blobs that it
// fetches. Imports, tags, builds, and pushes do not write them. A label counts for an image if it
// is on the manifest or index that a record of the image refers to, while that content exists.
//
// The label has no port. It proves the repository of the image's names with this host and path,
// with any port. If the image has no such name, it proves HOST/PATH if that is a reference with a
// registry.
//
// Uses the last graph if it knows these images, and reads one otherwise. As thread-safe as the
// reader.
class PullLabels final : public OriginSource {
 public:
  explicit PullLabels(CachedGraphReader& layers) : layers_(layers) {}
  Result<OriginFindings> Find(std::span<const Image> images, const RuntimeIdentity& runtime,
                              const std::stop_token& stop) override;

 private:
  CachedGraphReader& layers_;
};

}  // namespace imagesweep::containerd
