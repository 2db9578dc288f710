#pragma once

#include <optional>
#include <string_view>

#include "agent/base/result.h"
#include "agent/model/policy.h"

namespace imagesweep {

// Text in; a valid policy, or every reason why not, out.  Fields that are not written keep the
// value they have in Policy::Default().
//
// On failure the error is kInvalid and `what` has one complaint per line, each with its path and
// line, in the words of the Kubernetes API:
//   limits.maxImages: Invalid value: -1: must be at least 0 (line 12)
//   strict decoding error: unknown field "keep.imagse" (line 14); did you mean "images"?
// Strict: one document of at most 256 KiB in UTF-8, without tabs, anchors, aliases and tags; no
// field twice, none that is unknown, none of the wrong type.  Any thread.
//
// With a profile the document is read as if it said `profile:` so: what it writes itself stays, and
// so does the profile of an override.
Result<Policy> ParsePolicy(std::string_view yaml, std::optional<Profile> profile = std::nullopt);

}  // namespace imagesweep
