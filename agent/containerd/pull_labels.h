#pragma once

#include "agent/containerd/recent_graph.h"
#include "agent/model/ports.h"

namespace imagesweep::containerd {

// The labels `containerd.io/distribution.source.HOST` that a pull writes on the blobs it fetches;
// imports, tags, builds and pushes write none.  A label counts for an image when it is on the
// manifest or index that one of the image's records stands for, as long as that content is there.
//
// The label has no port: it proves the repository of the image's names that has this host and path,
// whatever the port; of a repository that the image has no name of, it proves HOST/PATH when that is
// a reference with a registry.
//
// Works with the graph that was read last for these images, else reads one.  Threads: as the reader.
class PullLabels final : public OriginSource {
 public:
  explicit PullLabels(RecentGraph& layers) : layers_(layers) {}
  Result<OriginFindings> Find(std::span<const Image> images, const RuntimeIdentity& runtime,
                              const std::stop_token& stop) override;

 private:
  RecentGraph& layers_;
};

}  // namespace imagesweep::containerd
