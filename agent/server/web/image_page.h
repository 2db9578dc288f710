#pragma once

#include <span>
#include <string>
#include <vector>

#include "agent/model/image_pos.h"
#include "agent/report/documents/json.h"
#include "agent/server/web/view.h"

namespace imagesweep::web {

// The explanation of one image: /image?id=… or ?name=….  view.report is not null.
std::string ImagePage(const StatusView& view, ImagePos image, std::span<const ExplainedStep> steps,
                      const std::string& what_would_change_it);
// For a query that matches several images.
std::string ImageChoicePage(const StatusView& view, const std::vector<ImagePos>& images);
// A page without content; `what` is the reason.
std::string NothingPage(const StatusView& view, const std::string& what);

}  // namespace imagesweep::web
