#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

// Reads documents that this program published, also those of older versions.  A field that is
// absent, null, or of another type counts as empty and is not an error.

namespace imagesweep::document {

using Json = nlohmann::json;

const Json& At(const Json& json, const char* key);  // null if absent
std::string Text(const Json& json, const char* key);
bool Flag(const Json& json, const char* key);
double Number(const Json& json, const char* key);
std::vector<std::string> Texts(const Json& list);

// "registry/app:v1" as {"registry/app", "v1"}; a digest is shortened; an image without a name has
// `<none>` as its tag.
std::pair<std::string, std::string> Split(const std::string& name);
// The tags of an image; without tags, a digest or the ShownName of its ID.
std::vector<std::string> NamesOf(const Json& image);

// "all 3 referenced images are present."
std::string AllArePresent(std::size_t referenced);

std::string Bytes(double bytes);                                // "-1.2GiB"
std::string Count(std::size_t count, const std::string& noun);  // "1 pod", "2 pods"

}  // namespace imagesweep::document
