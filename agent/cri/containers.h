#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agent/cri/stubs.h"
#include "agent/model/evidence.h"
#include "agent/model/reference.h"

namespace imagesweep::cri {

// What only a container's status tells: what its image resolved to, and the images mounted into it
// as volumes (KEP-4639), which no list shows.  None of it changes during a container's life.
struct ContainerDetail {
  struct Volume {
    std::string mount_path;
    std::vector<std::string> images;
  };
  std::vector<std::string> images;
  std::vector<Volume> volumes;
};

ContainerDetail ToDetail(const v1::ContainerStatus& status);

// The container with the labels and annotations that are read here, and no others: those of a
// crowded node are tens of MiB.
v1::Container WithoutUnusedMetadata(v1::Container container);

// Appends a reference for every text that names an image of this container.  False when there is
// none: then nobody can know which image it needs.
bool AddReferences(const v1::Container& container, const ContainerDetail& detail,
                   std::vector<ImageReference>& references);

// The pod as the kubelet wrote it into labels; empty when no kubelet made this.
std::optional<PodKey> PodOf(const v1::Container& container);
std::optional<PodKey> PodOf(const v1::PodSandbox& sandbox);

}  // namespace imagesweep::cri
