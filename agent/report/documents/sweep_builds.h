#pragma once

#include <optional>

#include "agent/report/documents/document.h"
#include "agent/report/render/page.h"

namespace imagesweep::sweep_page {

// How the removed images were built that no evidence shows to be in a registry: the source, the
// service of Docker Compose, and with `with_steps` the instructions.  Empty: nothing is known.
std::optional<Page::Section> BuildingImagesAgain(const SweepDocument& sweep, bool with_steps);

}  // namespace imagesweep::sweep_page
