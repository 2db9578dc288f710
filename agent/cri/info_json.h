#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "agent/base/result.h"

namespace imagesweep::cri {

// The verbose answers' info maps hold JSON that every runtime shapes as it likes; these look for
// the pause image and for layers in it.  kIncomplete when the text is no JSON; no find is an empty
// list.

// Status(verbose) info["config"]: every text under a key "sandboxImage", however deep (containerd
// 1.x at the top, CRI-O from 1.27, cri-dockerd).
Result<std::vector<std::string>> SandboxImagesOfConfig(std::string_view json);

// PodSandboxStatus(verbose) info["info"]: the text under "image" (containerd, CRI-O).
Result<std::vector<std::string>> ImagesOfSandbox(std::string_view json);

// ImageStatus(verbose) info["info"]: imageSpec.rootfs.diff_ids (containerd, CRI-O, cri-dockerd).
// Empty unless every one of them is a text.
Result<std::vector<std::string>> DiffIdsOfImage(std::string_view text);

}  // namespace imagesweep::cri
