#include "agent/server/web/image_page.h"

#include "agent/base/codec.h"
#include "agent/base/duration.h"
#include "agent/base/quantity.h"
#include "agent/report/documents/listing.h"
#include "agent/server/web/frame.h"

namespace imagesweep::web {
namespace {

constexpr std::size_t kMaxTitle = 200;

Html Names(const std::vector<ImageName>& names) {
  Html html;
  html << "<ul>";
  for (const ImageName& name : names) html << "<li>" << Text{name.text()} << "</li>";
  html << "</ul>";
  return html;
}

Html Users(const Report& report, const Decision& decision) {
  Html html;
  html << "<h3>Used by</h3><ul>";
  for (const auto at : decision.used_by) {
    const ImageReference& reference = report.observation.references[at];
    html << "<li>" << Text{ToString(reference.by.kind)} << " " << Text{Describe(reference.by)}
         << " <span class=\"soft\">as " << Text{reference.text} << "</span></li>";
  }
  html << "</ul>";
  return html;
}

Html Workloads(const Report& report, const Decision& decision) {
  Html html;
  html << "<h3>Will be started again by</h3><ul>";
  const auto shown = WorkloadsOf(report.observation, decision);
  for (const auto at : shown) {
    const WorkloadReference& reference = report.observation.workloads[at];
    html << "<li>" << Text{Describe(reference)} << " <span class=\"soft\">as "
         << Text{reference.text} << ", container " << Text{reference.container} << "</span></li>";
  }
  if (shown.size() < decision.needed_by.size())
    html << "<li>and " << decision.needed_by.size() - shown.size() << " more</li>";
  html << "</ul>";
  return html;
}

Html Facts(const StatusView& view, ImagePos at) {
  const Image& image = view.report->observation.images[at];
  const ImageAge& age = view.report->observation.ages[at];
  Html html;
  html << "<table><tbody><tr><th scope=\"row\">Id</th><td>" << Text{image.id.text()}
       << "</td></tr>";
  if (!image.tags.empty())
    html << "<tr><th scope=\"row\">Tags</th><td>" << Names(image.tags) << "</td></tr>";
  html << "<tr><th scope=\"row\">Digests</th><td>";
  if (image.digests.empty())
    html << "none";
  else
    html << Names(image.digests);
  html << "</td></tr><tr><th scope=\"row\">Origin</th><td>" << Text{ToString(image.origin.kind)};
  if (!image.origin.evidence.empty()) html << ": " << Text{image.origin.evidence};
  html << "</td></tr><tr><th scope=\"row\">Size</th><td>" << Text{HumanBytes(image.size_bytes)}
       << " as the runtime counts</td></tr><tr><th scope=\"row\">First seen</th><td>"
       << Time(age.first_seen, view.now) << "</td></tr><tr><th scope=\"row\">Last use</th><td>";
  if (view.report->plan.decisions[at].code == Code::kInUse)
    html << "in use";
  else if (age.last_used)
    html << Time(*age.last_used, view.now);
  else
    html << "never seen in use";
  html << "</td></tr><tr><th scope=\"row\">Unused for</th><td>" << Text{AgeWords(age)}
       << "</td></tr></tbody></table>\n";
  return html;
}

}  // namespace

std::string ImagePage(const StatusView& view, ImagePos image, std::span<const ExplainedStep> steps,
                      const std::string& what_would_change_it) {
  const Report& report = *view.report;
  const Decision& decision = report.plan.decisions[image];
  Html main;
  main << "<section aria-labelledby=\"verdict\"><h2 id=\"verdict\">"
       << VerdictWord(decision.verdict) << " (" << Text{ToString(decision.code)} << ")</h2><p>"
       << Text{decision.reason} << "</p>";
  if (!decision.rule.empty()) main << "<p>By rule " << Text{decision.rule} << ".</p>";
  if (!decision.superseded_by.empty())
    main << "<p>Superseded by " << Text{decision.superseded_by} << ".</p>";
  if (!decision.used_by.empty()) main << Users(report, decision);
  if (!decision.needed_by.empty()) main << Workloads(report, decision);
  main << "<p>What would change it: " << Text{what_would_change_it} << ".</p></section>\n"
       << "<section aria-labelledby=\"facts\"><h2 id=\"facts\">The image</h2>" << Facts(view, image)
       << "</section>\n<section aria-labelledby=\"steps\"><h2 id=\"steps\">Checks in order; the "
          "first that applies decides</h2><ol class=\"steps\">";
  for (const ExplainedStep& step : steps) {
    main << (step.decides ? Markup("<li class=\"decides\">") : Markup("<li>")) << Text{step.code}
         << ": "
         << Text{step.decides   ? "decides. "
                 : step.applies ? "also applies. "
                                : "no. "}
         << Text{step.evidence} << "</li>";
  }
  main << "</ol></section>\n<p><a href=\"./#list\">All images</a></p>\n";
  const std::string name = ShownName(report.observation.images[image]);
  return Document(view, name.size() > kMaxTitle ? name.substr(0, kMaxTitle) + "…" : name, main);
}

std::string ImageChoicePage(const StatusView& view, const std::vector<ImagePos>& images) {
  Html main;
  main << "<section aria-labelledby=\"which\"><h2 id=\"which\">"
       << Text{Counted(images.size(), "image")} << " match; select one</h2><ul>";
  for (const auto at : images) {
    const std::string& id = view.report->observation.images[at].id.text();
    main << "<li><a href=\"image?id=" << Text{UrlEncoded(id)} << "\">"
         << Text{ShownName(view.report->observation.images[at])} << "</a> " << Text{id} << "</li>";
  }
  main << "</ul></section>\n";
  return Document(view, "Select an image", main);
}

std::string NothingPage(const StatusView& view, const std::string& what) {
  Html main;
  main << "<section aria-labelledby=\"nothing\"><h2 id=\"nothing\">Nothing to show</h2><p>"
       << Text{what} << "</p><p><a href=\"./\">To the status page</a></p></section>\n";
  return Document(view, "Nothing to show", main);
}

}  // namespace imagesweep::web
