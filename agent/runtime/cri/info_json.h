#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "agent/base/result.h"
#include "agent/model/image_build.h"

namespace imagesweep::cri {

// The info maps of verbose answers hold JSON whose format each runtime defines. These functions
// look in it for the pause image and for layers. They return kIncomplete if the text is not JSON,
// and an empty list if they find nothing.

// Status(verbose) info["config"]: every text under a key "sandboxImage", at any depth (containerd
// 1.x at the top, CRI-O from 1.27, cri-dockerd).
Result<std::vector<std::string>> SandboxImagesOfConfig(std::string_view json);

// PodSandboxStatus(verbose) info["info"]: the text under "image" (containerd, CRI-O).
Result<std::vector<std::string>> ImagesOfSandbox(std::string_view json);

// ImageStatus(verbose) info["info"]: imageSpec.rootfs.diff_ids (containerd, CRI-O, cri-dockerd).
// Empty unless all of them are strings.
Result<std::vector<std::string>> DiffIdsOfImage(std::string_view text);

// The same: the labels in imageSpec.config, and created_by of each step in imageSpec.history.
Result<BuildFacts> BuildOfImage(std::string_view text);

}  // namespace imagesweep::cri
