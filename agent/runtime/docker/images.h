#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/result.h"
#include "agent/model/image.h"
#include "agent/runtime/docker/client.h"
#include "agent/runtime/docker/engine.h"

namespace imagesweep::docker {

// "sha256:" and 64 hexadecimal digits. Docker accepts any unique beginning of an ID, and a name of
// hexadecimal digits may be one, so nothing else is sent as an ID.
bool IsFullImageId(std::string_view text);

// Whether the image is in the containerd image store, where the ID is the digest of the manifest
// and so of every name. In Docker's own store, it is the digest of the config.
bool InContainerdStore(const Image& image);

// The image with normalised names. Names with a digest are in `digests`, also those that Docker 29
// lists among the tags. On the containerd store, each repository of a tag has the digest that the
// daemon makes for it: a list shows only one of them, and an inspection all.
Image ToImage(const ListedImage& listed);
Image ToImage(const InspectedImage& inspected);  // without its size

// Reads the image with this full ID or complete name. Empty: Docker does not have it.
Result<std::optional<InspectedImage>> Inspect(const Client& client, std::string_view id_or_name,
                                              const std::stop_token& stop);

// The same by full ID only: kInvalid for another text, kIncomplete for an answer about another
// image.
Result<std::optional<Image>> FindById(const Client& client, const ImageId& id,
                                      const std::stop_token& stop);

}  // namespace imagesweep::docker
