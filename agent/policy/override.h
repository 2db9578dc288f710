#pragma once

#include <map>
#include <string>
#include <string_view>

#include "agent/policy/codec.h"

namespace imagesweep {

// Labels that a node must have: at least one, with names and values that Kubernetes allows.
CodecPtr<std::map<std::string, std::string>> LabelSelector();

// A part of a policy document, stored as written, on one line.  Checks only its structure.  The
// values are checked together with the rest of the policy.
CodecPtr<std::string> PolicyPatch();

bool CanBeOverridden(std::string_view field);

// Returns `base` with the fields of `patch`: merges maps and replaces everything else.  A duplicate
// field in the patch is also a duplicate in the result.
TextNode Overlay(TextNode base, const TextNode& patch);

// A child of a map by its name.  Null: there is none.
const TextNode* Child(const TextNode& map, std::string_view name);

}  // namespace imagesweep
