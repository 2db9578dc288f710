#pragma once

#include <optional>
#include <vector>

#include "agent/report/page.h"
#include "agent/report/sweep_document.h"

// The sections of a run's page that tell of images: which went and why, which stayed and for whom.
// Empty: there is nothing to tell.

namespace imagesweep::sweep_page {

// One round for each reason, rules by name; one that says so when nothing went.
std::vector<Page::Section> Rounds(const SweepDocument& sweep);
// In use, wanted by workloads, and the others with their reasons: each that has an image.
std::vector<Page::Section> Retained(const SweepDocument& sweep);
// Deployed, kept besides and gone, of the repositories that are in use or lost something.
std::optional<Page::Section> Versions(const SweepDocument& sweep);
std::optional<Page::Section> OverSizeLimit(const SweepDocument& sweep);
std::optional<Page::Section> NotRemoved(const SweepDocument& sweep);

}  // namespace imagesweep::sweep_page
