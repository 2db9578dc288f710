#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agent/model/evidence.h"
#include "agent/model/reference.h"
#include "agent/runtime/cri/stubs.h"

namespace imagesweep::cri {

// Facts that only the status of a container has: the image that its reference resolved to, and its
// image volumes (KEP-4639). No list shows them. They do not change during the life of a container.
struct ContainerDetail {
  struct Volume {
    std::string mount_path;
    std::vector<std::string> images;
  };
  std::vector<std::string> images;
  std::vector<Volume> volumes;
};

ContainerDetail ToDetail(const v1::ContainerStatus& status);

// Returns the container with only the labels and annotations that this program reads. On a crowded
// node, all of them together take tens of MiB.
v1::Container WithoutUnusedMetadata(v1::Container container);

// Appends a reference for every text that names an image of this container. Returns false if no
// text does: then nothing tells which image the container needs.
bool AddReferences(const v1::Container& container, const ContainerDetail& detail,
                   std::vector<ImageReference>& references);

// The pod, from the labels that the kubelet writes. Empty if the kubelet did not create the object.
std::optional<PodKey> PodOf(const v1::Container& container);
std::optional<PodKey> PodOf(const v1::PodSandbox& sandbox);

}  // namespace imagesweep::cri
