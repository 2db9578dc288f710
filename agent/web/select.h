#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "agent/model/report.h"
#include "agent/web/query.h"

namespace imagesweep::web {

// Positions of the images that the query asks for, in its order; ties by name.  Words are looked
// for in names, digests, id, verdict, code, reason and the pods that use the image.
std::vector<std::uint32_t> SelectImages(const Report& report, const ImageQuery& query);

// The images that "id=…" (the id or its beginning) or "name=…" (whatever a pod could write) means.
std::vector<std::uint32_t> FindImages(const Report& report, std::string_view query);

// What "id=…" needs to find the image again.
std::string_view ShortId(const Image& image);

// Whether the run got as far as a verdict on every image.
bool Decided(const Report& report);

}  // namespace imagesweep::web
