#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agent/imagestore/graph/object_index.h"
#include "agent/model/image.h"
#include "agent/model/image_pos.h"

namespace imagesweep::layers {

// The image records of containerd that belong to each image of the runtime: for the CRI as follows,
// for Docker as in docker_attribution.h.
//
// The CRI's ID of an image is the digest of its config, so a record belongs to the image whose
// config its target leads to: manifest -> config, or index -> manifest -> config.  Names are not
// compared, because the CRI's are normalised and the records' are not.  One ID may have several
// manifests: the same image in two compressions.  One record may lead to several IDs: an index of
// several platforms that are all pulled.  It is then unknown which of these images the CRI uses, so
// the record counts as removed only if all of them are removed.
struct Attribution {
  // The nodes of the image's records, ascending.
  ByImage<std::vector<Node>> records;
  // The blob of its config.  kNoNode if the blob is missing.  Of an index, that of the platform
  // whose snapshot comes first in `tops`.
  ByImage<Node> configs;
  // The snapshots that its config names, one for each snapshotter.  Of an index of Docker, those of
  // all its platforms.
  ByImage<std::vector<Node>> tops;
  // Parallel to the MetadataSnapshot's image records: the number of images that the record may
  // belong to.  0: none, and no removal of an image deletes it.
  std::vector<std::uint32_t> owners;
  // Docker only: another image of the classic builder is built on this one.
  ByImage<bool> built_on;
};

Attribution Attribute(const MetadataSnapshot& metadata, const ObjectIndex& index,
                      std::span<const Image> images);

// The name of a record in containerd's CRI: as distribution/reference normalises it, without an
// added tag ("myalpine" is "docker.io/library/myalpine").
// Source: containerd internal/cri/store/image: references go through reference.Sort.
std::string NameInCri(std::string_view record_name);

// The CRI deletes the names that it knows.  A record with another name
// ("import-2026-11-20@sha256:…", "myalpine") survives RemoveImage, which still returns OK
// (containerd issues 7698, 8848).
bool SurvivesRemoveImage(std::string_view record_name);

}  // namespace imagesweep::layers
