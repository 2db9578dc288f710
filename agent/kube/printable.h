#pragma once

#include <string>
#include <string_view>

namespace imagesweep::kube {

// Text that the other side wrote, fit for one line of an error: at most 200 characters, everything
// but printable ASCII shown as '?'.
std::string Printable(std::string_view text);

}  // namespace imagesweep::kube
