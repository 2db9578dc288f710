#include "agent/report/documents/sweep_images.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "agent/report/documents/text.h"
#include "agent/report/render/page.h"

namespace imagesweep::sweep_page {
namespace {

using namespace document;

// Within its own repository, the tag is sufficient.
std::string Short(const std::string& name, const std::string& repository) {
  const auto [its, tag] = Split(name);
  return its == repository && !tag.empty() ? tag : name;
}

// One row per name of the image.
void AddRows(const SweepDocument& sweep, const Json& outcome, Page::Grid& grid) {
  const Json& image = sweep.ImageOf(outcome);
  const std::string size = Bytes(Number(outcome, "sizeBytes"));
  const std::string by = Text(image, "supersededBy");
  for (const std::string& name : NamesOf(image)) {
    const std::string repository = Split(name).first;
    std::string reason =
        by.empty() ? Text(outcome, "reason") : "Replaced by " + Short(by, repository);
    for (const Json& twin : At(image, "twinTags"))
      if (Text(twin, "name") == name)
        reason = "Same as " + Short(Text(twin, "duplicateOf"), repository) + " (duplicate tag)";
    const auto [shown, its_tag] = sweep.SplitForTable(name);
    grid.rows.push_back({shown, its_tag, size, reason});
  }
}

// "Container builder", "shop/db". The name of a container has no slash, so this is the project and
// the service of Docker Compose.
std::string OutsidePods(const Json& user) {
  std::string name = Text(user, "container");
  return name.find('/') == std::string::npos ? Text(user, "kind") + " " + name : name;
}

// "shop/api, shop/web, shop/jobs and 2 more"
std::string UsersText(const Json& image) {
  std::vector<std::string> users;
  for (const Json& user : At(image, "usedBy")) {
    std::string who = Text(user, "namespace") + "/" + Text(user, "name");
    if (who == "/") who = OutsidePods(user);
    if (std::ranges::find(users, who) == users.end()) users.push_back(std::move(who));
  }
  std::string text;
  for (std::size_t i = 0; i < users.size() && i < 3; ++i) text += (i == 0 ? "" : ", ") + users[i];
  if (users.size() > 3) text += " and " + std::to_string(users.size() - 3) + " more";
  return text;
}

// "Deployment shop/api revision 7, CronJob shop/bill"; empty: no workload needs it.
std::string WorkloadsText(const Json& image) {
  std::string text;
  std::size_t shown = 0;
  for (const Json& workload : At(image, "wantedBy")) {
    if (++shown > 3) break;
    text += (text.empty() ? "" : ", ") + Text(workload, "kind") + " " +
            Text(workload, "namespace") + "/" + Text(workload, "name");
    if (At(workload, "revision").is_number())
      text += " revision " + std::to_string(static_cast<long>(Number(workload, "revision")));
  }
  const auto all = static_cast<std::size_t>(Number(image, "wantedByCount"));
  if (all > 3) text += " and " + std::to_string(all - 3) + " more";
  return text;
}

}  // namespace

std::vector<Page::Section> Rounds(const SweepDocument& sweep) {
  std::vector<std::pair<std::string, std::vector<const Json*>>> rounds;
  for (const Json* outcome : sweep.went) {
    const std::string code = Text(*outcome, "code");
    const std::string title =
        code == "Rule" ? "rule \"" + Text(sweep.ImageOf(*outcome), "rule") + "\"" : code;
    auto round = std::ranges::find(rounds, title, [](const auto& its) { return its.first; });
    if (round == rounds.end()) round = rounds.insert(rounds.end(), {title, {}});
    round->second.push_back(outcome);
  }
  std::vector<Page::Section> sections;
  for (const auto& [title, outcomes] : rounds) {
    Page::Grid grid{{"Image", "Tag", "Size", "Reason"}, {}, {{"Size"}, "Reason"}};
    double bytes = 0;
    for (const Json* outcome : outcomes) {
      bytes += Number(*outcome, "sizeBytes");
      AddRows(sweep, *outcome, grid);
    }
    sections.push_back(SectionOf((sweep.dry_run ? "Would be removed, round " : "Removed, round ") +
                                     std::to_string(sections.size() + 1) + ": " + title,
                                 std::move(grid),
                                 Page::Paragraph{Count(outcomes.size(), "image") + ", " +
                                                 Bytes(bytes) + " by the runtime's sizes."}));
  }
  if (sections.empty()) sections.push_back(SectionOf("Removed", Page::Paragraph{"None."}));
  return sections;
}

std::vector<Page::Section> Retained(const SweepDocument& sweep) {
  Page::Grid used{{"Image", "Tag", "Size", "Used by"}, {}, {{"Size"}, "Used by"}};
  constexpr const char* kWantedBy = "Will be started again by";
  Page::Grid wanted{{"Image", "Tag", "Size", kWantedBy}, {}, {{"Size"}, kWantedBy}};
  Page::Grid others{{"Image", "Tag", "Size", "Why it stays"}, {}, {{"Size"}, "Why it stays"}};
  for (const Json& image : At(sweep.report, "images")) {
    if (Text(image, "verdict") == "Remove") continue;
    const bool in_use = Text(image, "code") == "InUse";
    const std::string users = UsersText(image);
    const std::string workloads = WorkloadsText(image);
    for (const std::string& name : NamesOf(image)) {
      const auto [repository, tag] = sweep.SplitForTable(name);
      const std::string size = Bytes(Number(image, "sizeBytes"));
      if (in_use)
        used.rows.push_back({repository, tag, size, users});
      else if (!workloads.empty())
        wanted.rows.push_back({repository, tag, size, workloads});
      else
        others.rows.push_back(
            {repository, tag, size, Text(image, "code") + ": " + Text(image, "reason")});
    }
  }
  std::vector<Page::Section> sections;
  const auto add = [&sections](const char* title, Page::Grid& grid) {
    if (!grid.rows.empty()) sections.push_back(SectionOf(title, std::move(grid)));
  };
  add("Retained: in use", used);
  add("Retained: needed by workloads", wanted);
  add("Retained: not in use", others);
  return sections;
}

std::optional<Page::Section> Versions(const SweepDocument& sweep) {
  struct Tags {
    std::string deployed, kept, removed;
  };
  std::map<std::string, Tags> repositories;
  const auto add = [](std::string& list, const std::string& tag) {
    list += (list.empty() ? "" : ", ") + tag;
  };
  for (const Json& image : At(sweep.report, "images")) {
    const bool goes = std::ranges::any_of(
        sweep.went, [&](const Json* outcome) { return Text(*outcome, "id") == Text(image, "id"); });
    for (const std::string& name : Texts(At(image, "names"))) {
      const auto [repository, tag] = sweep.SplitForTable(name);
      Tags& tags = repositories[repository];
      add(goes ? tags.removed : Text(image, "code") == "InUse" ? tags.deployed : tags.kept, tag);
    }
  }
  const char* const removed = sweep.dry_run ? "Would be removed" : "Removed";
  Page::Grid grid{{"Repository", "Deployed", "Also kept", removed}, {}, {{"Also kept"}, removed}};
  const auto shown = [](const std::string& list) { return list.empty() ? "(none)" : list; };
  for (const auto& [repository, tags] : repositories)
    if (!tags.deployed.empty() || !tags.removed.empty())
      grid.rows.push_back(
          {repository, shown(tags.deployed), shown(tags.kept), shown(tags.removed)});
  if (grid.rows.empty()) return std::nullopt;
  return SectionOf("Versions", std::move(grid));
}

std::optional<Page::Section> OverSizeLimit(const SweepDocument& sweep) {
  Page::Grid grid{{"Image", "Size", "Limit"}, {}};
  for (const Json& one : At(sweep.report, "sizeLimitsExceeded"))
    grid.rows.push_back({sweep.short_names.Of(Text(one, "name")), Bytes(Number(one, "sizeBytes")),
                         Bytes(Number(one, "maxSizeBytes"))});
  if (grid.rows.empty()) return std::nullopt;
  return SectionOf("Over the size limit", std::move(grid));
}

std::optional<Page::Section> NotRemoved(const SweepDocument& sweep) {
  Page::Grid grid{{"Image", "Outcome", "Why"}, {}, {{}, "Why"}};
  for (const Json* outcome : sweep.stayed)
    grid.rows.push_back({sweep.short_names.Of(NamesOf(sweep.ImageOf(*outcome)).front()),
                         Text(*outcome, "outcome"), Text(*outcome, "error")});
  if (grid.rows.empty()) return std::nullopt;
  return SectionOf("Not removed", std::move(grid));
}

}  // namespace imagesweep::sweep_page
