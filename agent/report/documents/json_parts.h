#pragma once

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "agent/model/plan.h"

// Objects that several JSON documents have.

namespace imagesweep::json_parts {

using Json = nlohmann::ordered_json;

// The text of a document: two-space indentation; bytes that are not UTF-8 are replaced.
std::string Dump(const Json& json);

Json NamesJson(const std::vector<ImageName>& names);
// Null if the use is not known.
Json DiskJson(const std::optional<DiskUsage>& disk);
// The users of an image, in the order of UsersOf().
Json UsedByJson(const Observation& seen, const Decision& decision);

}  // namespace imagesweep::json_parts
