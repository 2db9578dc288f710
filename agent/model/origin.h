#pragma once

#include <string>
#include <string_view>

namespace imagesweep {

// Where an image came from, as far as this node has evidence, weakest first.  It decides whether
// the image counts as one that can be pulled again.
enum class OriginKind {
  kUnknown,   // no evidence: treated as local
  kLocal,     // built or imported here: the runtime says so, or it has no repo digest
  kPulled,    // a record of the runtime or the kubelet shows that it was pulled
  kRegistry,  // the registry confirmed this digest
};

std::string_view ToString(OriginKind kind);  // "Unknown", "Local", "Pulled", "Registry"

// A repo digest alone is evidence only from Docker with its own image store (up to version 28).
// CRI-O and Docker with the containerd image store generate one for images that no registry has
// (CRI-O internal/storage/image.go, makeRepoDigests).
struct Origin {
  OriginKind kind = OriginKind::kUnknown;
  // One line: the evidence, or why there is none.
  std::string evidence;
  // The repo@digest that the evidence is about, by which the image can be pulled.  Empty below
  // kPulled.
  std::string pull_by;

  bool can_be_pulled() const noexcept { return kind >= OriginKind::kPulled; }

  friend bool operator==(const Origin&, const Origin&) = default;
};

}  // namespace imagesweep
