#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "agent/base/clock.h"

namespace imagesweep::layers {

// One label of a containerd object; views, valid while it is being read.
struct Label {
  std::string_view key;
  std::string_view value;
};
using Labels = std::span<const Label>;

enum class ObjectType : std::uint8_t { kContent, kSnapshot, kImage, kContainer };

// What a label says of another object of the same namespace.
struct LabelReference {
  ObjectType type = ObjectType::kContent;
  std::string_view snapshotter;  // for snapshots
  std::string_view key;
  bool back = false;  // the other one holds us, not we it
};

// What a collection heeds beside the plain references; it grew over the versions of containerd.
struct GcRules {
  bool image_expiry = true;     // an image record may expire (2.0)
  bool back_references = true;  // gc.bref.* and gc.ref.image (2.2)
  bool conditions = true;       // gc.cond.snapshot (2.3)
};

// By VersionResponse.runtime_version: "1.7.24", "v2.1.9", "2.3.0-rc.1".  All rules when it cannot
// be read: they only ever keep more, but for the expiry of images.
GcRules RulesOf(std::string_view version);

// The labels of one object as containerd's garbage collector reads them.
struct GcLabels {
  std::vector<LabelReference> references;
  bool root = false;
  bool flat = false;         // of a lease: only what it names, not what that refers to
  bool conditional = false;  // some of the references hold only on a condition that we do not judge
  bool of_buildkit = false;
  std::optional<SystemTime> expires;  // empty as well when it is no time: then it never does
};

// Source: containerd, core/metadata/gc.go: startGCContext and sendLabelRefs (metadata/gc.go
// in 1.x).
void ReadLabels(Labels labels, const GcRules& rules, GcLabels& out);

// RFC 3339 with any fraction and offset; empty when it is none.
std::optional<SystemTime> ParseTime(std::string_view text);

}  // namespace imagesweep::layers
