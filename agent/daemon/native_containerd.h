#pragma once

#include <functional>
#include <memory>

#include "agent/gc/observe/layers_disk.h"
#include "agent/model/policy.h"
#include "agent/runtime/containerd/archive.h"
#include "agent/runtime/containerd/image_remover.h"
#include "agent/runtime/containerd/metadata_reader.h"
#include "agent/runtime/containerd/name_restorer.h"
#include "agent/runtime/cri/connection.h"

namespace imagesweep {

// containerd's own services, on the connection of the CRI.  On another runtime, the reader returns
// kNotFound and the remover is not used.
struct NativeContainerd {
  NativeContainerd(const cri::Connection& connection, RuntimeReader& runtime, ImageRemover& by_cri,
                   const Clock& clock)
      : metadata_reader(connection.channel(), clock, {.disk = LayersDisk}),
        layers(metadata_reader, clock),
        remover(connection.channel(), runtime, layers, by_cri, clock, {}),
        restorer(connection.channel(), {}) {}

  // For NodeDependencies::archiver.
  static std::function<std::unique_ptr<ImageArchiver>(const Archive&)> Archivers(
      const cri::Connection& connection) {
    return [channel = connection.channel()](const Archive& archive) {
      return std::make_unique<containerd::Archiver>(
          channel,
          containerd::ArchiveOptions{.directory = archive.path, .max_size = archive.max_size});
    };
  }

  containerd::MetadataReader metadata_reader;
  containerd::CachedGraphReader layers;
  containerd::BatchImageRemover remover;
  containerd::RecordRestorer restorer;
};

}  // namespace imagesweep
