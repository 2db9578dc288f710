#pragma once

#include <cstdint>
#include <vector>

#include "agent/server/web/html.h"
#include "agent/server/web/query.h"
#include "agent/server/web/view.h"

namespace imagesweep::web {

// The form for filter and order, and the selected images.
Html ImagesSection(const StatusView& view, const ImageQuery& query);

}  // namespace imagesweep::web
