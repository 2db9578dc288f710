#pragma once

#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "agent/model/report.h"
#include "agent/state/ledger.h"

namespace imagesweep {

// How the ledger knows a tag of an image.  No image has an id like this.
ImageId LedgerIdOf(const std::string& tag, const std::string& image_id);

// What a run does for the tags that rules with Untag may take.  Each of them is in the ledger
// beside the images, so that it has an age by its own uses: an image may be in use all the time,
// and one of its tags not.

// The tags that some policy may take; none when they cannot be taken here, and a warning when
// report.in_force asks for it.
std::vector<ImageName> WatchedTags(Report& report, bool can_be_taken);

// Records the look at the images of `seen` and at `tags`: fills in seen.ages and seen.tag_ages.
// `used` is parallel to the images; `recent`: what was referred to since the last look.
void ObserveAges(Ledger& ledger, const std::vector<ImageName>& tags,
                 const std::vector<ImageReference>& recent, std::vector<bool> used,
                 Observation& seen);

// Counts the plan of the report as an evaluation: of each image, how many in a row wanted it gone.
// Tags that too few wanted gone are taken out of the plan.
std::vector<int> CountEvaluations(Report& report, Ledger& ledger);

// Of the report's names those that went.
std::unordered_set<std::string_view> DroppedNames(const Report& report);
// A name that is listed all the same did not go.
void VerifyNames(Report& report, const std::vector<Image>& listed);

}  // namespace imagesweep
