#include "agent/server/web/status_page.h"

#include "agent/server/web/frame.h"
#include "agent/server/web/image_table.h"
#include "agent/server/web/sections.h"

namespace imagesweep::web {

std::string StatusPage(const StatusView& view, std::string_view query) {
  Html main;
  main << StateSection(view);
  if (view.report)
    main << DiskSection(*view.report) << PlanSection(view) << ProtectedSection(*view.report);
  main << RunsSection(view) << SourcesSection(view) << PolicySection(view)
       << ImagesSection(view, ImageQueryOf(query));
  return Document(view, "Images of " + view.node, main);
}

}  // namespace imagesweep::web
