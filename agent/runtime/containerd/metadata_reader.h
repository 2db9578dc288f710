#pragma once

#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <string>

#include "agent/base/clock.h"
#include "agent/base/result.h"
#include "agent/imagestore/graph/graph_reader.h"
#include "agent/imagestore/graph/metadata_snapshot.h"
#include "agent/model/image.h"

namespace grpc {
class Channel;
}

namespace imagesweep::containerd {

struct MetadataReaderOptions {
  std::string cri_namespace = "k8s.io";  // of the images
  layers::RecordsOf records_of = layers::RecordsOf::kCri;
  // The snapshotter of the images, which must be loaded.  Empty: any.
  std::string snapshotter = {};
  // The deadline of one collection, including all its calls.
  Millis timeout = std::chrono::seconds(30);
  // Returns the file system of a directory of containerd as this process sees it. Empty, or a
  // result of kOther, if it cannot be seen: then the figures are estimates.
  std::function<layers::Disk(const std::string& directory)> disk;
  // Also reads the config of each image, for MetadataSnapshot::facts(). Layer analyses need it, and
  // it is half of all calls if nothing is remembered. The space that a removal frees does not
  // depend on it.
  bool configs = false;
};

// Reads containerd's own services, which share the socket of the CRI, so no further privilege is
// needed. Reads only. Reads all namespaces, because they share the files of blobs.
//
// Objects come first, leases and containers last, so that a holder that appears meanwhile is seen.
// At worst, an object is listed that has since gone. Image records come before their content,
// because they would lead nowhere otherwise. So content shared with a download that ends meanwhile
// may seem to be free.
//
// The usage of a committed snapshot never changes, and neither does a config. Both are read once
// and remembered while they exist. The usage of other snapshots is not read, because that walks the
// disk.
//
// Sources: containerd api/services, with the same numbers since 1.6 (proto/containerd); for Usage,
// core/snapshots/snapshotter.go. Not thread-safe.
class MetadataReader final : public layers::LayerReader {
 public:
  MetadataReader(const std::shared_ptr<grpc::Channel>& channel, const Clock& clock,
                 MetadataReaderOptions options = {});
  ~MetadataReader() override;

  // kNotFound: these services do not exist, so the runtime is not containerd; or the snapshotter of
  // the options is not loaded. Other errors: its
  // version or its namespaces could not be read, or `stop`. MetadataSnapshot::unread() reports all
  // other failures.
  Result<layers::MetadataSnapshot> ReadSnapshot(std::span<const Image> images,
                                                const std::stop_token& stop);
  Result<std::shared_ptr<const layers::LayerGraph>> Read(std::span<const Image> images,
                                                         const std::stop_token& stop) override;

  struct Stubs;
  struct Memory;

 private:
  const Clock& clock_;
  const MetadataReaderOptions options_;
  const std::unique_ptr<Stubs> stubs_;
  const std::unique_ptr<Memory> memory_;
};

}  // namespace imagesweep::containerd
