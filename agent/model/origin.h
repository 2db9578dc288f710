#pragma once

#include <string>
#include <string_view>

namespace imagesweep {

// Where an image came from, as far as anything on this node proves it; weakest first.  It decides
// whether the image counts as one that can be pulled again.
enum class OriginKind {
  kUnknown,   // nothing says: treated as local
  kLocal,     // built or imported here: the runtime says so, or it has no repo digest at all
  kPulled,    // a record of the runtime, of the kubelet or of this agent says that it was pulled
  kRegistry,  // the registry answered for this very digest
};

std::string_view ToString(OriginKind kind);  // "Unknown", "Local", "Pulled", "Registry"

// A repo digest alone is no evidence: CRI-O and Docker with the containerd image store make one up
// for images that no registry has (CRI-O internal/storage/image.go, makeRepoDigests).
struct Origin {
  OriginKind kind = OriginKind::kUnknown;
  // One line for people: what proves it, or what is missing to prove more.
  std::string evidence;
  // The repo@digest that the evidence is about, by which the image can be pulled; empty below
  // kPulled.
  std::string pull_by;

  bool can_be_pulled() const noexcept { return kind >= OriginKind::kPulled; }

  friend bool operator==(const Origin&, const Origin&) = default;
};

}  // namespace imagesweep
