#pragma once

#include <optional>
#include <string_view>

#include "agent/base/result.h"
#include "agent/model/policy.h"

namespace imagesweep {

// Parses a policy.  Fields that are not set keep their value of Policy::Default().
//
// On failure the error is kInvalid, and `what` lists all errors, one per line, each with its path
// and line, in the words of the Kubernetes API:
//   limits.maxImages: Invalid value: -1: must be at least 0 (line 12)
//   strict decoding error: unknown field "keep.imagse" (line 14); did you mean "images"?
// Strict: one document of at most 256 KiB in UTF-8, without tabs, anchors, aliases and tags, and
// without duplicate fields, unknown fields, and fields of the wrong type.  Any thread.
//
// A profile replaces the `profile:` of the document.  Other fields of the document, and the profile
// of an override, stay.  `lines_before`: the lines of the file before the text, which count in the
// line numbers of errors.
Result<Policy> ParsePolicy(std::string_view yaml, std::optional<Profile> profile = std::nullopt,
                           int lines_before = 0);

}  // namespace imagesweep
