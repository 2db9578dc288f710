#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "agent/model/report.h"
#include "agent/server/web/query.h"

namespace imagesweep::web {

// Positions of the images that match the query, in its order; ties by name.  Searches words in
// names, digests, ID, verdict, code, reason, and the pods that use the image.
std::vector<ImagePos> SelectImages(const Report& report, const ImageQuery& query);

// The images that match "id=…" (an ID or a prefix) or "name=…" (any image reference of a pod).
std::vector<ImagePos> FindImages(const Report& report, std::string_view query);

// The value of "id=…" that finds the image.
std::string_view ShortId(const Image& image);

// True if the run reached a verdict on every image.
bool Decided(const Report& report);

}  // namespace imagesweep::web
