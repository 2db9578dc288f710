#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "agent/report/json.h"
#include "agent/web/view.h"

namespace imagesweep::web {

// Why one image stays or goes: /image?id=… or ?name=….  view.report is not null.
std::string ImagePage(const StatusView& view, std::uint32_t image,
                      std::span<const ExplainedStep> steps,
                      const std::string& what_would_change_it);
// When the query means several images.
std::string ImageChoicePage(const StatusView& view, const std::vector<std::uint32_t>& images);
// When there is nothing to show; `what` says why.
std::string NothingPage(const StatusView& view, const std::string& what);

}  // namespace imagesweep::web
