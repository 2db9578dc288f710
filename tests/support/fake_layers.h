#pragma once

#include <memory>
#include <optional>
#include <span>
#include <utility>

#include "agent/imagestore/graph/graph.h"
#include "agent/imagestore/graph/graph_reader.h"

namespace imagesweep {

// A store of layers without layers: of containerd, unless `records_of` names another.
struct FakeLayers final : layers::LayerReader {
  Result<std::shared_ptr<const layers::LayerGraph>> Read(std::span<const Image> images,
                                                         const std::stop_token&) override {
    if (error) return *error;
    layers::MetadataSnapshot metadata("k8s.io", SystemTime());
    metadata.SetRecordsOf(records_of);
    if (unread) metadata.CouldNotRead({*unread, "k8s.io", "ListStream: busy"});
    return std::shared_ptr<const layers::LayerGraph>(
        std::make_shared<layers::LayerGraph>(std::move(metadata), images));
  }
  std::optional<Error> error;
  std::optional<layers::Unread::What> unread;
  layers::RecordsOf records_of = layers::RecordsOf::kCri;
};

}  // namespace imagesweep
