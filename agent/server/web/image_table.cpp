#include "agent/server/web/image_table.h"

#include <string_view>

#include "agent/base/quantity.h"
#include "agent/server/web/frame.h"
#include "agent/server/web/select.h"

namespace imagesweep::web {
namespace {

// Limits the size of the page for slow connections; the search finds the other images.
constexpr std::size_t kMaxRows = 4000;

struct Column {
  SortBy by;
  std::string_view title;
};
constexpr Column kColumns[] = {{SortBy::kName, "Image"},     {SortBy::kVerdict, "Verdict"},
                               {SortBy::kCode, "Code"},      {SortBy::kReason, "Reason"},
                               {SortBy::kAge, "Unused for"}, {SortBy::kLastUse, "Last use"},
                               {SortBy::kSize, "Size"}};

Html Choice(std::string_view value, std::string_view title, bool chosen) {
  Html html;
  html << "<option value=\"" << Text{value} << "\"";
  if (chosen) html << " selected";
  html << ">" << Text{title} << "</option>";
  return html;
}

Html Form(const ImageQuery& query) {
  Html html;
  html << "<form id=\"find\" method=\"get\" action=\"./\" role=\"search\" "
          "aria-label=\"Images\"><label class=\"wide\">Search image, pod or reason"
          "<input type=\"search\" name=\"q\" maxlength=\"200\" value=\""
       << Text{query.search} << "\"></label><label>Verdict<select name=\"verdict\">"
       << Choice("", "all", !query.verdict);
  for (const Verdict verdict : {Verdict::kRemove, Verdict::kDefer, Verdict::kKeep})
    html << Choice(ToString(verdict), ToString(verdict), query.verdict == verdict);
  html << "</select></label><label>Sort by<select name=\"sort\">";
  for (const Column& column : kColumns)
    html << Choice(ToString(column.by), column.title, query.by == column.by);
  html << "</select></label><label>Order<select name=\"order\">"
       << Choice("asc", "ascending", !query.descending)
       << Choice("desc", "descending", query.descending)
       << "</select></label><button type=\"submit\">Show</button></form>\n";
  return html;
}

// A click on the current sort column reverses the order.
Html Head(const ImageQuery& query) {
  Html html;
  html << "<thead><tr>";
  for (const Column& column : kColumns) {
    ImageQuery next = query;
    next.by = column.by;
    next.descending = query.by == column.by && !query.descending;
    html << "<th scope=\"col\"";
    if (query.by == column.by && query.descending) html << " aria-sort=\"descending\"";
    if (query.by == column.by && !query.descending) html << " aria-sort=\"ascending\"";
    html << "><a id=\"by-" << Text{ToString(column.by)} << "\" href=\"./?" << Text{ToQuery(next)}
         << "#list\">" << Text{column.title} << "</a>";
    if (query.by == column.by && query.descending) html << " <span aria-hidden=\"true\">▼</span>";
    if (query.by == column.by && !query.descending) html << " <span aria-hidden=\"true\">▲</span>";
    html << "</th>";
  }
  html << "</tr></thead>\n";
  return html;
}

// Without optional end tags, because there are thousands of rows.
void AddRow(const StatusView& view, ImagePos at, Html& html) {
  const Report& report = *view.report;
  const Decision& decision = report.plan.decisions[at];
  html << "<tr><td>" << ImageLink(report, at) << "<td class=\"" << Text{ToString(decision.verdict)}
       << "\">" << Text{ToString(decision.verdict)} << "<td>" << Text{ToString(decision.code)}
       << "<td>" << Text{decision.reason} << "<td class=\"age\">"
       << Text{AgeWords(report.observation.ages[at])} << "<td class=\"age\">"
       << Text{LastUseWords(report, at, view.now)} << "<td class=\"size\">"
       << Text{HumanBytes(report.observation.images[at].size_bytes)} << "\n";
}

}  // namespace

Html ImagesSection(const StatusView& view, const ImageQuery& query) {
  Html html;
  html << "<section id=\"list\" aria-labelledby=\"list-title\"><h2 id=\"list-title\">Images</h2>\n";
  if (!view.report) {
    html << "<p id=\"images\">Not known yet.</p></section>\n";
    return html;
  }
  auto selected = SelectImages(*view.report, query);
  html << Form(query) << "<p id=\"count\" role=\"status\">" << selected.size() << " of "
       << Text{Counted(view.report->plan.decisions.size(), "image")} << ", "
       << Text{SizeOfAll(*view.report, selected)} << " as the runtime counts sizes";
  if (selected.size() > kMaxRows) {
    selected.resize(kMaxRows);
    html << "; the first " << kMaxRows << " are shown";
  }
  html << "</p>\n<table id=\"images\" class=\"images\">" << Head(query) << "<tbody>\n";
  for (const auto at : selected) AddRow(view, at, html);
  html << "</tbody></table></section>\n";
  return html;
}

}  // namespace imagesweep::web
