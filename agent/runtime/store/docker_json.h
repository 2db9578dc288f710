#pragma once

#include <string>
#include <string_view>
#include <unordered_set>

#include "agent/base/result.h"

namespace imagesweep::store {

// The IDs of all images with a name, of Docker's repositories.json:
// {"Repositories": {NAME: {REFERENCE: "sha256:…"}}}.  kIncomplete if it is no such document.
// Source: moby reference/store.go.
Result<std::unordered_set<std::string>> NamedImages(std::string_view text);

// The image ID in a container's config.v2.json; empty if it has no image ID.  Source: moby
// container/container.go ("Image").
std::string ImageOfContainer(std::string_view text);

}  // namespace imagesweep::store
