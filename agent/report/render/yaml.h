#pragma once

#include <string>

namespace imagesweep {

// Converts a document to YAML in block style.  `json` must be valid JSON.
std::string JsonToYaml(const std::string& json);

}  // namespace imagesweep
