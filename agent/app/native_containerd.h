#pragma once

#include "agent/app/layers_disk.h"
#include "agent/containerd/collector.h"
#include "agent/containerd/image_remover.h"
#include "agent/cri/connection.h"

namespace imagesweep {

// containerd's own services, on the connection of the CRI.  On another runtime the reader says so
// (kNotFound), and the remover is not used.
struct NativeContainerd {
  NativeContainerd(const cri::Connection& connection, RuntimeReader& runtime, ImageRemover& by_cri,
                   const Clock& clock)
      : layers(connection.channel(), clock, {.disk = LayersDisk}),
        remover(connection.channel(), runtime, layers, by_cri, clock, {}) {}

  containerd::Collector layers;
  containerd::BatchImageRemover remover;
};

}  // namespace imagesweep
