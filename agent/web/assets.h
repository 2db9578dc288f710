#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace imagesweep::web {

// The stylesheet and the script, which are part of each page.
extern const std::string_view kStyle;
extern const std::string_view kScript;

// The headers of every page: it may load nothing, run only these two (by their hashes), connect
// only to this agent, and not be framed.
const std::vector<std::pair<std::string, std::string>>& PageHeaders();

}  // namespace imagesweep::web
