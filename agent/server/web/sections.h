#pragma once

#include "agent/server/web/html.h"
#include "agent/server/web/view.h"

namespace imagesweep::web {

// The parts of the status page, each a <section> with an id.
Html StateSection(const StatusView& view);
Html DiskSection(const Report& report);
Html PlanSection(const StatusView& view);     // removals, in order
Html ProtectedSection(const Report& report);  // images that stay, and their users
Html RunsSection(const StatusView& view);
Html SourcesSection(const StatusView& view);  // the sources of the last observation
Html PolicySection(const StatusView& view);

}  // namespace imagesweep::web
