#include "agent/base/codec.h"
#include "agent/server/web/sections.h"

#include <algorithm>
#include <map>
#include <set>

#include "agent/base/quantity.h"
#include "agent/model/verdict_codes.h"
#include "agent/report/documents/advice.h"
#include "agent/report/documents/text.h"
#include "agent/server/web/frame.h"

namespace imagesweep::web {
namespace {

constexpr std::size_t kMaxHolders = 200;  // shown per code

struct Group {
  std::vector<ImagePos> images;
  std::set<std::string> holders;
};

// Adds the users of the image and its rule.
void AddHolders(const Report& report, const Decision& decision, Group& group) {
  for (const auto at : decision.used_by) {
    const ImageUser& by = report.observation.references[at].by;
    group.holders.insert(std::string(ToString(by.kind)) + " " + Describe(by));
  }
  for (const auto at : decision.needed_by)
    group.holders.insert(Describe(report.observation.workloads[at]));
  if (!decision.rule.empty()) group.holders.insert("rule " + decision.rule);
}

}  // namespace

Html ProtectedSection(const Report& report) {
  std::map<Code, Group> groups;  // in the order of the checks
  for (const Decision& decision : report.plan.decisions) {
    if (decision.verdict == Verdict::kRemove) continue;
    Group& group = groups[decision.code];
    group.images.push_back(decision.image);
    AddHolders(report, decision, group);
  }
  Html html;
  html << "<section id=\"protected\" aria-labelledby=\"protected-title\">"
          "<h2 id=\"protected-title\">Protected images</h2>\n<table><thead><tr>"
          "<th scope=\"col\">Code</th><th scope=\"col\">Images</th><th scope=\"col\">Size</th>"
          "<th scope=\"col\">Held by</th></tr></thead>\n<tbody>\n";
  for (const auto& [code, group] : groups) {
    html << "<tr><td><a href=\"./?q=" << Text{UrlEncoded(ToString(code))} << "#list\">"
         << Text{ToString(code)} << "</a></td><td data-of=\"images\">" << group.images.size()
         << "</td><td data-of=\"size\">" << Text{SizeOfAll(report, group.images)} << "</td><td>"
         << Text{RowOf(code).held_by};
    if (!group.holders.empty()) {
      html << "<details><summary>" << Text{Counted(group.holders.size(), "holder")}
           << "</summary><ul>";
      std::size_t shown = 0;
      for (const std::string& holder : group.holders) {
        if (++shown > kMaxHolders) break;
        html << "<li>" << Text{holder} << "</li>";
      }
      if (shown > kMaxHolders)
        html << "<li>and " << group.holders.size() - kMaxHolders << " more</li>";
      html << "</ul></details>";
    }
    html << "</td></tr>\n";
  }
  html << "</tbody></table></section>\n";
  return html;
}

}  // namespace imagesweep::web
