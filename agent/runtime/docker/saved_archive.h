#pragma once

#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

#include "agent/base/result.h"

namespace imagesweep::docker {

// Reads an archive of GET /images/get completely and checks that it has the image `id`, no other
// image, and no name that is not in `names` (normalised). The ID is the digest of the config in
// Docker's own store, and that of a manifest or an index in the containerd store. A daemon may read
// manifest.json or index.json, so both have to fit if they exist. kInvalid: they do not, or the
// file is damaged. The digests of layers are checked by the daemon that loads them.
Status CheckArchive(const std::filesystem::path& archive, const std::string& id,
                    const std::vector<std::string>& names, const std::stop_token& stop);

}  // namespace imagesweep::docker
