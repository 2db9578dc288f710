#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/result.h"

namespace imagesweep::containerd {

// The documents of an OCI image layout. Docker's documents have the same fields. Source:
// opencontainers/image-spec: image-layout.md, descriptor.md, manifest.md, image-index.md.

struct Descriptor {
  std::string media_type;
  std::string digest;
  std::uint64_t size = 0;

  // Whether the blob refers to others: an index or a manifest.
  bool is_index() const;
  bool is_manifest() const;
};

// The blobs that an index or a manifest refers to.
struct Links {
  std::vector<Descriptor> all;
  std::string config;  // of a manifest; empty for an index

  // The labels that containerd's garbage collector follows, as every puller writes them. Source:
  // containerd core/images/handlers.go, ChildGCLabels and SetChildrenMappedLabels.
  std::map<std::string, std::string> GcLabels() const;
};
// kInvalid if the text is not such a document.
Result<Links> ParseLinks(const Descriptor& of, std::string_view text);

// One entry of index.json: an image under one of its names.
struct NamedImage {
  std::string name;
  Descriptor target;
};
std::string LayoutFile();
// The name goes into both annotations that readers use: the full name for containerd, and the tag.
std::string MakeIndex(std::span<const NamedImage> images);
// kInvalid for an unsupported version of the layout.
Status CheckLayout(std::string_view text);
Result<std::vector<NamedImage>> ParseIndex(std::string_view text);

// "blobs/sha256/…"
std::string BlobPath(std::string_view digest);

}  // namespace imagesweep::containerd
