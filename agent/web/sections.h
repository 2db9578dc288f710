#pragma once

#include "agent/web/html.h"
#include "agent/web/view.h"

namespace imagesweep::web {

// The parts of the status page, each a <section> with an id.
Html StateSection(const StatusView& view);
Html DiskSection(const Report& report);
Html PlanSection(const StatusView& view);     // what goes, in order
Html ProtectedSection(const Report& report);  // what stays, and who holds it
Html RunsSection(const StatusView& view);
Html SourcesSection(const StatusView& view);  // what the last look rests on
Html PolicySection(const StatusView& view);

}  // namespace imagesweep::web
