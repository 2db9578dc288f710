#pragma once

#include <string>

namespace imagesweep {

// The same document as YAML in block style.  `json` must be valid JSON.
std::string JsonToYaml(const std::string& json);

}  // namespace imagesweep
