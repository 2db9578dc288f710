#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/result.h"

namespace imagesweep::containerd {

// The documents of an OCI image layout, which Docker's have the same fields as.
// Source: opencontainers/image-spec: image-layout.md, descriptor.md, manifest.md, image-index.md.

struct Descriptor {
  std::string media_type;
  std::string digest;
  std::uint64_t size = 0;

  // Refers to others: an index or a manifest.
  bool is_index() const;
  bool is_manifest() const;
};

// What an index or a manifest refers to.
struct Links {
  std::vector<Descriptor> all;
  std::string config;  // of a manifest; empty for an index

  // The labels by which containerd's garbage collector goes on from it, as every puller writes
  // them.  Source: containerd core/images/handlers.go,
  // ChildGCLabels and SetChildrenMappedLabels.
  std::map<std::string, std::string> GcLabels() const;
};
// kInvalid for what is no such document.
Result<Links> ParseLinks(const Descriptor& of, std::string_view text);

// One entry of index.json: an image by one of its names.
struct NamedImage {
  std::string name;
  Descriptor target;
};
std::string LayoutFile();
// The name goes into both annotations that readers look for: containerd's own, and the tag alone.
std::string MakeIndex(std::span<const NamedImage> images);
// kInvalid for another version of the layout.
Status CheckLayout(std::string_view text);
Result<std::vector<NamedImage>> ParseIndex(std::string_view text);

// "blobs/sha256/…"
std::string BlobPath(std::string_view digest);

}  // namespace imagesweep::containerd
