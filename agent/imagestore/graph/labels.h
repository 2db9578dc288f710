#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "agent/base/clock.h"

namespace imagesweep::layers {

// One label of a containerd object.  The views are valid during the read.
struct Label {
  std::string_view key;
  std::string_view value;
};
using Labels = std::span<const Label>;

enum class ObjectType : std::uint8_t { kContent, kSnapshot, kImage, kContainer };

// A reference in a label to another object of the same namespace.
struct LabelReference {
  ObjectType type = ObjectType::kContent;
  std::string_view snapshotter;  // for snapshots
  std::string_view key;
  bool back = false;  // the other object holds this one
};

// The features of containerd's garbage collection in addition to plain references, which depend on
// its version.
struct GcRules {
  bool image_expiry = true;     // an image record may expire (2.0)
  bool back_references = true;  // gc.bref.* and gc.ref.image (2.2)
  bool conditions = true;       // gc.cond.snapshot (2.3)
};

// By VersionResponse.runtime_version: "1.7.24", "v2.1.9", "2.3.0-rc.1".  Returns all rules if it
// cannot be parsed, because they only keep more, except for the expiry of images.
GcRules RulesOf(std::string_view version);

// The labels of one object as containerd's garbage collector reads them.
struct GcLabels {
  std::vector<LabelReference> references;
  bool root = false;
  bool flat = false;         // for a lease: holds only the named objects, not their references
  bool conditional = false;  // some of the references hold only under a condition
  bool of_buildkit = false;
  std::optional<SystemTime> expires;  // also empty if it is not a time: it then never expires
};

// Source: containerd, core/metadata/gc.go: startGCContext and sendLabelRefs (metadata/gc.go
// in 1.x).
void ReadLabels(Labels labels, const GcRules& rules, GcLabels& out);

// Parses RFC 3339 with any fraction and offset.  Empty: invalid.
std::optional<SystemTime> ParseTime(std::string_view text);

}  // namespace imagesweep::layers
