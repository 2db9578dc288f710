#pragma once

#include <string>

#include "agent/model/report.h"

namespace imagesweep {

// Tags that go from images which stay, for people.  All are empty when there are none.

// Of a plan: a table, and what it is.
std::string PlannedTagsText(const Report& report, bool with_header);
// Of a run: what became of each.
std::string DroppedTagsText(const Report& report, bool with_header);
// "; dropped 2 tags, 1 failed".
std::string TagsSummary(const Report& report);
// Of one image: a line for each tag for which such a rule decides.
std::string TagsText(const Report& report, std::uint32_t image);

}  // namespace imagesweep
