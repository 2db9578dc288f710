#pragma once

#include <optional>

#include "agent/report/documents/document.h"
#include "agent/report/render/page.h"

// The sections of a run's page about its effect: disk, verification, restore, and cost.  Empty: the
// section does not apply.

namespace imagesweep::sweep_page {

// Before and after, and the freed space, measured and predicted.
std::optional<Page::Section> DiskSpace(const SweepDocument& sweep);
// The verification of referenced images and of pods.
std::optional<Page::Section> Verification(const SweepDocument& sweep);
// The command that restores the removed images, and the images that cannot be restored.
// `with_pulls`: also one command per image that pulls it.
std::optional<Page::Section> GettingImagesBack(const SweepDocument& sweep, bool with_pulls);
// The monthly cost of the freed space, if a price is known.
std::optional<Page::Section> Cost(const SweepDocument& sweep);

}  // namespace imagesweep::sweep_page
