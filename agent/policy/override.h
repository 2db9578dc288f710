#pragma once

#include <map>
#include <string>
#include <string_view>

#include "agent/policy/codec.h"

namespace imagesweep {

// Labels that a node must have: at least one, names and values as Kubernetes allows them.
CodecPtr<std::map<std::string, std::string>> LabelSelector();

// A part of a policy document, kept as it is written, on one line.  Only its shape is checked here:
// what it says is checked where it is put over the whole.
CodecPtr<std::string> PolicyPatch();

bool CanBeOverridden(std::string_view field);

// `base` with the fields of `patch` in place of its own: maps are joined, everything else is
// replaced.  A field that is twice in the patch is twice in the result.
TextNode Overlay(TextNode base, const TextNode& patch);

// A child of a map by its name, null when it has none.
const TextNode* Child(const TextNode& map, std::string_view name);

}  // namespace imagesweep
