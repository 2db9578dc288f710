#pragma once

#include <string>
#include <string_view>

#include "agent/server/web/view.h"

namespace imagesweep::web {

// The page at /.  `query` is the query string, which selects the images of the list (ImageQueryOf).
std::string StatusPage(const StatusView& view, std::string_view query);

}  // namespace imagesweep::web
