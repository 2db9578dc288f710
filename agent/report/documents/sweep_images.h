#pragma once

#include <optional>
#include <vector>

#include "agent/report/documents/document.h"
#include "agent/report/render/page.h"

// The sections of a run's page about images: removed images with reasons, and kept images with
// their users.  Empty: the section does not apply.

namespace imagesweep::sweep_page {

// One section per reason, rules by name; one section that says "None." if no image was removed.
std::vector<Page::Section> Rounds(const SweepDocument& sweep);
// In use, needed by workloads, and others with their reasons: each section that has an image.
std::vector<Page::Section> Retained(const SweepDocument& sweep);
// Deployed, kept, and removed versions of repositories that are in use or lost an image.
std::optional<Page::Section> Versions(const SweepDocument& sweep);
std::optional<Page::Section> OverSizeLimit(const SweepDocument& sweep);
std::optional<Page::Section> NotRemoved(const SweepDocument& sweep);

}  // namespace imagesweep::sweep_page
