#pragma once

#include <optional>

#include "agent/report/page.h"
#include "agent/report/sweep_document.h"

// The sections of a run's page that tell what it came to: disk, whether all that is needed is still
// there, what can be had back, money.  Empty: there is nothing to tell.

namespace imagesweep::sweep_page {

// Before and after, what came free, and how far that was predicted.
std::optional<Page::Section> DiskSpace(const SweepDocument& sweep);
// What the second look found of the images that something refers to, and of the pods.
std::optional<Page::Section> Verification(const SweepDocument& sweep);
// The commands that bring back what went, and what none brings back.
std::optional<Page::Section> GettingImagesBack(const SweepDocument& sweep);
// What the space that went costs a month, where a price is known.
std::optional<Page::Section> Cost(const SweepDocument& sweep);

}  // namespace imagesweep::sweep_page
