#pragma once

#include <memory>
#include <span>
#include <stop_token>
#include <string>

#include "agent/base/clock.h"
#include "agent/daemon/engine_containerd.h"
#include "agent/daemon/store_layers.h"
#include "agent/imagestore/graph/graph_reader.h"
#include "agent/runtime/containerd/metadata_reader.h"
#include "agent/runtime/docker/runtime.h"

namespace imagesweep {

// Reads the layers of a Docker Engine: of its own image store from the files, and of the containerd
// image store from the engine's containerd, which is only read. They are for figures only, so every
// failure is kNotFound. One thread at a time.
class EngineLayers final : public layers::LayerReader {
 public:
  // `socket`: of the engine, as this process sees it. The other arguments must outlive it.
  EngineLayers(docker::Runtime& engine, std::string socket, const Clock& clock);

  Result<std::shared_ptr<const layers::LayerGraph>> Read(std::span<const Image> images,
                                                         const std::stop_token& stop) override;
  // The same with the configs of the images.
  Result<std::shared_ptr<const layers::LayerGraph>> ReadWithConfigs(std::span<const Image> images,
                                                                    const std::stop_token& stop);

 private:
  Result<std::shared_ptr<const layers::LayerGraph>> ReadLayers(std::span<const Image> images,
                                                               bool configs,
                                                               const std::stop_token& stop);
  Result<std::shared_ptr<const layers::LayerGraph>> ReadContainerd(std::span<const Image> images,
                                                                   containerd::MetadataReader& from,
                                                                   const std::stop_token& stop);
  // Remembers the reader, which remembers the sizes of layers.
  containerd::MetadataReader& ReaderOf(const EngineContainerd& found);
  std::unique_ptr<containerd::MetadataReader> OpenReader(const EngineContainerd& found,
                                                         bool configs) const;

  docker::Runtime& engine_;
  const std::string socket_;
  const Clock& clock_;
  const std::unique_ptr<StoreLayers> files_;
  EngineContainerd containerd_;
  std::unique_ptr<containerd::MetadataReader> reader_;  // of containerd_
};

}  // namespace imagesweep
