#pragma once

#include <memory>
#include <span>
#include <stop_token>

#include "agent/daemon/store_layers.h"
#include "agent/imagestore/graph/graph_reader.h"
#include "agent/model/ports.h"

namespace imagesweep {

// The layers of a CRI runtime: by containerd's own services, or by the files of CRI-O's store. Both
// tell of containers that the CRI does not list.  So only kNotFound means that there are none to
// read: the runtime is another one, or the store is not visible to this process.  One thread at a
// time.
class CriLayers final : public layers::LayerReader {
 public:
  // The arguments must outlive this object.
  CriLayers(RuntimeReader& runtime, layers::LayerReader& containerd, const Clock& clock)
      : runtime_(runtime), containerd_(containerd), crio_(StoreLayers::OfCrio(runtime, clock)) {}

  Result<std::shared_ptr<const layers::LayerGraph>> Read(std::span<const Image> images,
                                                         const std::stop_token& stop) override;
  bool IsCrio(const std::stop_token& stop) const;
  StoreLayers& crio() const { return *crio_; }

 private:
  RuntimeReader& runtime_;
  layers::LayerReader& containerd_;
  const std::unique_ptr<StoreLayers> crio_;
};

}  // namespace imagesweep
