#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

// Reading the documents that this program published, also those of older versions: what is absent,
// null or of another type is nothing to show, not an error.

namespace imagesweep::document {

using Json = nlohmann::json;

const Json& At(const Json& json, const char* key);  // null when there is none
std::string Text(const Json& json, const char* key);
bool Flag(const Json& json, const char* key);
double Number(const Json& json, const char* key);
std::vector<std::string> Texts(const Json& list);

// "registry/app:v1" as {"registry/app", "v1"}; of a digest its beginning; `<none>` for the tag of
// an image without a name.
std::pair<std::string, std::string> Split(const std::string& name);
// An image's tags; a digest or ShownName of its ID when it has none.
std::vector<std::string> NamesOf(const Json& image);

// "all 3 referenced images are present."
std::string AllArePresent(std::size_t referenced);

std::string Bytes(double bytes);                                // "-1.2GiB"
std::string Count(std::size_t count, const std::string& noun);  // "1 pod", "2 pods"

}  // namespace imagesweep::document
