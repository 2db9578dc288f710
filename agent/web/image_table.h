#pragma once

#include <cstdint>
#include <vector>

#include "agent/web/html.h"
#include "agent/web/query.h"
#include "agent/web/view.h"

namespace imagesweep::web {

// The form for filter and order, and the selected images.
Html ImagesSection(const StatusView& view, const ImageQuery& query);

}  // namespace imagesweep::web
