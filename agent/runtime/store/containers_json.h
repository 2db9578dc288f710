#pragma once

#include <string_view>

#include "agent/base/result.h"
#include "agent/runtime/store/layer_store.h"

namespace imagesweep::store {

// The indexes of containers/storage: images.json, layers.json, containers.json.  Each of them is
// an array of objects.  What they list is added to `store`.  An entry that is not well-formed is
// left out and told in `store.unread`: its ID, or one that it refers to, is not 64 hex digits, or a
// field has the wrong type.  An empty text is an empty list.
//
// kIncomplete if the text is not such an array; `store` is then unchanged.  Pure.
//
// Source: containers/storage, images.go, layers.go and containers.go: the JSON names of Image,
// Layer and Container.
Status AddImages(std::string_view text, LayerStore& store);
Status AddLayers(std::string_view text, LayerStore& store);
Status AddContainers(std::string_view text, LayerStore& store);
// mountpoints.json of the run root (layers.go, layerMountPoint).
Status AddMounts(std::string_view text, LayerStore& store);

}  // namespace imagesweep::store
