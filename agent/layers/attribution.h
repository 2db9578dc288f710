#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agent/layers/object_index.h"
#include "agent/model/image.h"

namespace imagesweep::layers {

// Which image records of containerd make up which image of the CRI.
//
// The CRI's id of an image is the digest of its config, so a record belongs to the image whose
// config its target leads to: manifest -> config, or index -> manifest -> config.  Names are not
// compared: the CRI's are normalised, the records' are not.  One id may have several manifests (the
// same image compressed in two ways), and one record may lead to several ids (an index of several
// platforms, all of them pulled); which of them the CRI took is not visible, so such a record is
// gone only when all of them are.
struct Attribution {
  // Parallel to the images: the nodes of their records, ascending.
  std::vector<std::vector<Node>> records;
  // Parallel to the images: the blobs of their configs; kNoNode when they are not there.
  std::vector<Node> configs;
  // Parallel to the images: snapshots that their configs name, one for each snapshotter.
  std::vector<std::vector<Node>> tops;
  // Parallel to the World's image records: how many of the images it may belong to; 0: it belongs
  // to none, and no removal of an image touches it.
  std::vector<std::uint32_t> owners;
};

Attribution Attribute(const World& world, const ObjectIndex& index, std::span<const Image> images);

// The name by which containerd's CRI knows a record: as distribution/reference normalises it, with
// no tag added ("myalpine" is "docker.io/library/myalpine").
// Source: containerd internal/cri/store/image: references go through reference.Sort.
std::string NameInCri(std::string_view record_name);

// The CRI deletes names as it knows them; a record by another name ("import-2026-11-20@sha256:…",
// "myalpine") survives RemoveImage, which says OK nevertheless (containerd issues 7698, 8848).
bool SurvivesRemoveImage(std::string_view record_name);

}  // namespace imagesweep::layers
