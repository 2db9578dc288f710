#pragma once

#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <unordered_map>

#include "agent/base/result.h"
#include "agent/runtime/containerd/call.h"
#include "agent/runtime/containerd/snapshot_builder.h"
#include "agent/runtime/containerd/stubs.h"

namespace imagesweep::containerd {

// The second part of one collection. It reads the configs of manifests without labels (only of the
// CRI: Docker's always have labels) and, if `configs` is set, the configs of the images. It covers
// the namespace of the images and runs when the MetadataSnapshot has its objects.
class ContentReader {
 public:
  ContentReader(MetadataReader::Stubs& stubs, MetadataReader::Memory& memory, const Calls& calls,
                layers::MetadataSnapshot& metadata, std::span<const Image> images, bool configs);

  // Adds the facts to the MetadataSnapshot.
  void Read();
  // Drops remembered data of objects that were not seen.
  void Forget();

 private:
  void FindDocuments();
  void FindConfigsByLabel();
  void ReadDocuments();
  // False: one of the documents could not be read.
  bool ReadDocuments(std::span<const std::string* const> digests);
  Result<std::string> ReadBlob(const std::string& digest) const;
  const std::string& CriNamespace() const;

  MetadataReader::Stubs& stubs_;
  MetadataReader::Memory& memory_;
  const Calls& calls_;
  layers::MetadataSnapshot& metadata_;
  std::span<const Image> images_;
  const bool configs_;
  // The digests of configs.  Those of the CRI are the IDs of the images.  Those of Docker are found
  // by their label, because there an ID is the digest of a manifest or an index.
  std::set<std::string> config_digests_;
  // Sizes of the documents to read: configs of the images if `configs_` is set, and targets of the
  // CRI's records whose labels name no parts.
  std::unordered_map<std::string, std::uint64_t> present_;
};

}  // namespace imagesweep::containerd
