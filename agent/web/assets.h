#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace imagesweep::web {

// The one stylesheet and the one script, which stand in each page.
extern const std::string_view kStyle;
extern const std::string_view kScript;

// What every page is sent with: it may load nothing, run nothing but these two (named by their
// hashes), ask nobody but this agent, and stand in no frame.
const std::vector<std::pair<std::string, std::string>>& PageHeaders();

}  // namespace imagesweep::web
