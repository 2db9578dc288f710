#pragma once

#include <span>
#include <string>

#include "agent/model/report.h"
#include "agent/report/documents/text.h"

namespace imagesweep {

// Some images of a report, in this order.  As ImagesText and ImagesJson, which list all by name.
std::string ImagesText(const Report& report, std::span<const ImagePos> images,
                       const TextOptions& options);
std::string ImagesJson(const Report& report, std::span<const ImagePos> images);

}  // namespace imagesweep
