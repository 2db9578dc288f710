#include "agent/daemon/cri_layers.h"

#include <utility>

namespace imagesweep {

Result<std::shared_ptr<const layers::LayerGraph>> CriLayers::Read(std::span<const Image> images,
                                                                  const std::stop_token& stop) {
  auto graph = containerd_.Read(images, stop);
  if (graph || graph.error().kind != ErrorKind::kNotFound) return graph;
  auto identity = runtime_.Identity(stop);
  if (!identity) return std::move(identity).error();  // it may be CRI-O
  return identity->name == "cri-o" ? crio_->Read(images, stop) : graph;
}

bool CriLayers::IsCrio(const std::stop_token& stop) const {
  const auto identity = runtime_.Identity(stop);
  return identity && identity->name == "cri-o";
}

}  // namespace imagesweep
