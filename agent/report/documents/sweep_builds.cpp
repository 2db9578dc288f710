#include "agent/report/documents/sweep_builds.h"

#include <algorithm>
#include <string>
#include <utility>

namespace imagesweep::sweep_page {

using namespace document;

std::optional<Page::Section> BuildingImagesAgain(const SweepDocument& sweep, bool with_steps) {
  Page::Grid grid{{"Image", "Tag", "Source", "Revision", "Compose service"},
                  {},
                  {{"Compose service", "Revision"}, "Source"}};
  std::string steps;
  for (const Json* outcome : sweep.went) {
    const Json& image = sweep.ImageOf(*outcome);
    const Json& build = At(image, "build");
    if (!build.is_object()) continue;
    std::string service = Text(build, "composeService");
    if (!service.empty()) service.insert(0, Text(build, "composeProject") + "/");
    std::string names;
    for (const std::string& name : NamesOf(image)) {
      const auto [repository, tag] = sweep.SplitForTable(name);
      grid.rows.push_back(
          {repository, tag, Text(build, "source"), Text(build, "revision"), service});
      names += (names.empty() ? "# " : ", ") + sweep.short_names.Of(name);
    }
    const auto its = Texts(At(build, "steps"));
    if (its.empty()) continue;
    steps += (steps.empty() ? "" : "\n") + names + "\n";
    for (std::string step : its) {
      std::ranges::replace(step, '\n', ' ');
      steps += step + "\n";
    }
  }
  if (grid.rows.empty()) return std::nullopt;
  Page::Section section =
      SectionOf("Building images again", std::move(grid),
                Page::Paragraph{"From the labels of the images, as their builders wrote them."});
  if (with_steps && !steps.empty()) {
    section.blocks.emplace_back(Page::Paragraph{
        "The instructions in the history of the images, without settings and build arguments:"});
    section.blocks.emplace_back(Page::Code{"dockerfile", steps});
  }
  return section;
}

}  // namespace imagesweep::sweep_page
