#pragma once

#include <functional>
#include <memory>
#include <span>
#include <stop_token>

#include "agent/base/clock.h"
#include "agent/base/result.h"
#include "agent/imagestore/graph/graph_reader.h"
#include "agent/imagestore/graph/metadata_snapshot.h"
#include "agent/runtime/store/layer_store.h"

namespace imagesweep::store {

// Builds graphs from a store that is read from its files.  One thread at a time.
class StoreReader final : public layers::LayerReader {
 public:
  // ContainersStorage::Read or DockerLayers::Read.
  using ReadStore = std::function<Result<LayerStore>(const std::stop_token&)>;
  // The file system of the store.  Empty, or a result of kOther: the figures are estimates.
  using ReadDisk = std::function<layers::Disk()>;

  StoreReader(ReadStore read, ReadDisk disk, const Clock& clock);

  // The errors are those of ReadStore.  Images of the runtime that the store does not list (for
  // example of a read-only additional store) make the figures inexact.
  Result<std::shared_ptr<const layers::LayerGraph>> Read(std::span<const Image> images,
                                                         const std::stop_token& stop) override;

 private:
  const ReadStore read_;
  const ReadDisk disk_;
  const Clock& clock_;
};

}  // namespace imagesweep::store
