#include "agent/report/sweep_page.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "agent/report/document.h"
#include "agent/report/text.h"

namespace imagesweep {
namespace {

using namespace document;

class Builder {
 public:
  explicit Builder(const Json& report) : report_(report) {
    for (const Json& image : At(report, "images")) images_[Text(image, "id")] = &image;
    for (const Json& outcome : At(report, "outcomes")) {
      const std::string kind = Text(outcome, "outcome");
      if (kind == "Removed" || kind == "WouldRemove")
        went_.push_back(&outcome);
      else
        rest_.push_back(&outcome);
    }
    dry_run_ = Flag(report, "dryRun");
  }

  Page Build() {
    page_.title = std::string("Image sweep of ") +
                  (Text(report_, "node").empty() ? "this node" : Text(report_, "node"));
    Head();
    Objective();
    Rounds();
    Tags();
    Retained();
    Disk();
    Verification();
    Versions();
    GettingThingsBack();
    SizeLimits();
    Cost();
    Failures();
    List("Advice", At(report_, "advice"));
    List("Warnings", At(report_, "warnings"));
    if (const auto policy = Text(report_, "policyText"); !policy.empty())
      Add("Policy followed", Page::Code{"yaml", policy});
    return std::move(page_);
  }

 private:
  template <typename... Blocks>
  void Add(std::string title, Blocks... blocks) {
    Page::Section section{std::move(title), {}};
    (section.blocks.emplace_back(std::move(blocks)), ...);
    page_.sections.push_back(std::move(section));
  }
  void List(const std::string& title, const Json& items) {
    if (auto texts = Texts(items); !texts.empty()) Add(title, Page::Bullets{std::move(texts)});
  }
  const Json& ImageOf(const Json& outcome) const {
    const auto found = images_.find(Text(outcome, "id"));
    return found == images_.end() ? outcome : *found->second;
  }
  double SizeOfWent() const {
    double bytes = 0;
    for (const Json* outcome : went_) bytes += Number(*outcome, "sizeBytes");
    return bytes;
  }

  void Head() {
    std::string status = "complete";
    if (!At(report_, "refused").is_null())
      status = "refused: " + Text(At(report_, "refused"), "source") +
               " cannot be trusted: " + Text(At(report_, "refused"), "error");
    else if (!rest_.empty())
      status = "partial: " + Count(rest_.size(), "image") + " stayed";
    else if (!Text(report_, "stoppedEarly").empty())
      status = "stopped early: " + Text(report_, "stoppedEarly");
    if (dry_run_) status = "dry run, nothing was removed (" + status + ")";
    page_.head.emplace_back(Page::Bullets{{"Date: " + Text(report_, "startedAt"),
                                           "Run: " + Text(report_, "run"), "Status: " + status}});
  }

  void Objective() {
    const Json& policy = At(report_, "policy");
    std::string text = "Remove images that nothing needs, by the policy of " +
                       Text(policy, "source") + " (profile " + Text(policy, "profile") + ").";
    const Json& evidence = At(report_, "evidence");
    text += " What is needed was read from ";
    if (!Flag(evidence, "withoutKubernetes"))
      text +=
          Count(static_cast<std::size_t>(Number(At(evidence, "pods"), "count")), "pod") + " and ";
    text +=
        Count(static_cast<std::size_t>(Number(At(evidence, "containers"), "count")), "container") +
        " of this node, on " + Text(At(report_, "runtime"), "name") + " " +
        Text(At(report_, "runtime"), "version") + ".";
    if (Flag(evidence, "withoutKubernetes"))
      text += " Kubernetes was not asked, so images of pods without a container yet were not seen.";
    Add("Objective", Page::Paragraph{text});
  }

  // Tags that rules took from images which stayed.
  void Tags() {
    Page::Grid grid{{"Tag", "Rule", "Outcome"}, {}};
    for (const Json& untag : At(report_, "untags")) {
      const std::string error = Text(untag, "error");
      grid.rows.push_back({Text(untag, "tag"), Text(untag, "rule"),
                           Text(untag, "outcome") + (error.empty() ? "" : ": " + error)});
      if (Text(untag, "outcome") == "Removed") dropped_.insert(Text(untag, "tag"));
    }
    if (grid.rows.empty()) return;
    Add(dry_run_ ? "Tags that would be dropped" : "Tags dropped", std::move(grid),
        Page::Paragraph{dry_run_ ? "Their images stay."
                                 : "Their images stay. `imagesweep restore --run " +
                                       Text(report_, "run") + "` puts them back, without a pull."});
  }

  // One round for each reason, rules by name; each name of an image in a row of its own.
  void Rounds() {
    std::vector<std::pair<std::string, std::vector<const Json*>>> rounds;
    for (const Json* outcome : went_) {
      const Json& image = ImageOf(*outcome);
      const std::string code = Text(*outcome, "code");
      const std::string title = code == "Rule" ? "rule \"" + Text(image, "rule") + "\"" : code;
      auto round = std::ranges::find(rounds, title, [](const auto& its) { return its.first; });
      if (round == rounds.end()) round = rounds.insert(rounds.end(), {title, {}});
      round->second.push_back(outcome);
    }
    int number = 0;
    for (const auto& [title, outcomes] : rounds) {
      Page::Grid grid{{"Image", "Tag", "Size", "Reason"}, {}};
      double bytes = 0;
      for (const Json* outcome : outcomes) {
        bytes += Number(*outcome, "sizeBytes");
        AddRows(*outcome, grid);
      }
      Add((dry_run_ ? "Would go, round " : "Removed, round ") + std::to_string(++number) + ": " +
              title,
          std::move(grid),
          Page::Paragraph{Count(outcomes.size(), "image") + ", " + Bytes(bytes) +
                          " by the runtime's sizes."});
    }
    if (rounds.empty()) Add("Removed", Page::Paragraph{"Nothing."});
  }
  void AddRows(const Json& outcome, Page::Grid& grid) const {
    const Json& image = ImageOf(outcome);
    const std::string size = Bytes(Number(outcome, "sizeBytes"));
    const std::string by = Text(image, "supersededBy");
    for (const std::string& name : NamesOf(image)) {
      const auto [repository, tag] = Split(name);
      std::string reason =
          by.empty() ? Text(outcome, "reason") : "Replaced by " + Short(by, repository);
      for (const Json& twin : At(image, "twinTags"))
        if (Text(twin, "name") == name)
          reason = "Same as " + Short(Text(twin, "duplicateOf"), repository) + " (duplicate tag)";
      grid.rows.push_back({repository, tag, size, reason});
    }
  }
  // Within its own repository the tag says enough.
  static std::string Short(const std::string& name, const std::string& repository) {
    const auto [its, tag] = Split(name);
    return its == repository && !tag.empty() ? tag : name;
  }

  // "Deployment shop/api, revision 7 and 2 more"; empty: none wants it.
  static std::string WorkloadsText(const Json& image) {
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

  void Retained() {
    Page::Grid used{{"Image", "Tag", "Size", "Used by"}, {}};
    Page::Grid wanted{{"Image", "Tag", "Size", "Will be started again by"}, {}};
    Page::Grid others{{"Image", "Tag", "Size", "Why it stays"}, {}};
    for (const Json& image : At(report_, "images")) {
      if (Text(image, "verdict") == "Remove") continue;
      const bool in_use = Text(image, "code") == "InUse";
      std::vector<std::string> users;
      for (const Json& user : At(image, "usedBy")) {
        std::string who = Text(user, "namespace") + "/" + Text(user, "name");
        if (who == "/") who = Text(user, "kind") + " " + Text(user, "container");
        if (std::ranges::find(users, who) == users.end()) users.push_back(std::move(who));
      }
      std::string by;
      for (std::size_t i = 0; i < users.size() && i < 3; ++i) by += (i == 0 ? "" : ", ") + users[i];
      if (users.size() > 3) by += " and " + std::to_string(users.size() - 3) + " more";
      const std::string workloads = WorkloadsText(image);
      for (const std::string& name : NamesOf(image)) {
        if (dropped_.contains(name)) continue;
        const auto [repository, tag] = Split(name);
        const std::string size = Bytes(Number(image, "sizeBytes"));
        if (in_use)
          used.rows.push_back({repository, tag, size, by});
        else if (!workloads.empty())
          wanted.rows.push_back({repository, tag, size, workloads});
        else
          others.rows.push_back(
              {repository, tag, size, Text(image, "code") + ": " + Text(image, "reason")});
      }
    }
    if (!used.rows.empty()) Add("Retained: in use", std::move(used));
    if (!wanted.rows.empty()) Add("Retained: wanted by workloads", std::move(wanted));
    if (!others.rows.empty()) Add("Retained: not in use", std::move(others));
  }

  void Disk() {
    const Json& before = At(report_, "before");
    const Json& after = At(report_, "after");
    if (before.is_null()) return;
    Page::Grid grid{{"", "Before", "After"}, {}};
    const auto row = [&](const std::string& what, const auto& show) {
      grid.rows.push_back({what, show(before), after.is_null() ? "-" : show(after)});
    };
    row("Images",
        [](const Json& at) { return std::to_string(static_cast<long>(Number(at, "images"))); });
    row("Total size", [](const Json& at) { return Bytes(Number(at, "bytes")); });
    row("Reclaimable", [](const Json& at) {
      const double all = Number(at, "bytes"), part = Number(at, "reclaimableBytes");
      const auto percent = all > 0 ? std::lround(part * 100 / all) : 0;
      return Bytes(part) + " (" + std::to_string(percent) + "%)";
    });
    row("File system used", [](const Json& at) -> std::string {
      const Json& disk = At(at, "filesystem");
      if (disk.is_null()) return "unknown";
      return Bytes(Number(disk, "sizeBytes") - Number(disk, "availBytes")) + " of " +
             Bytes(Number(disk, "sizeBytes")) + " (" +
             std::to_string(static_cast<int>(Number(disk, "usedPercent"))) + "%)";
    });
    std::string reclaimed = "Space reclaimed: " + Bytes(SizeOfWent()) + " by the runtime's sizes";
    if (At(report_, "measuredFreedBytes").is_number() && !dry_run_)
      reclaimed +=
          ", " + Bytes(Number(report_, "measuredFreedBytes")) + " measured on the file system";
    const std::string predicted = Predicted();
    if (!predicted.empty()) reclaimed += ", " + predicted;
    if (dry_run_)
      reclaimed = "Would be reclaimed: " + Bytes(SizeOfWent()) + " by the runtime's sizes" +
                  (predicted.empty() ? "" : ", " + predicted);
    if (const std::string off = Text(report_, "predictionOffBy"); !off.empty())
      reclaimed += ". Off by: " + off;
    Add("Disk space", std::move(grid), Page::Paragraph{kReclaimableMeans},
        Page::Paragraph{reclaimed + "."});
  }

  // By the layers, of reports that have it.
  std::string Predicted() const {
    if (!At(report_, "predictedFreedBytes").is_number()) return {};
    const std::string certainty = Text(report_, "predictionCertainty");
    return Bytes(Number(report_, "predictedFreedBytes")) + " predicted by the layers" +
           (certainty.empty() ? "" : " (" + certainty + ")");
  }

  void Verification() {
    const Json& verification = At(report_, "verification");
    if (verification.is_null() || At(report_, "before").is_null()) return;
    std::vector<std::string> items;
    const auto missing = Texts(At(verification, "missing"));
    if (At(report_, "after").is_null()) {
      items.push_back("Nothing was removed, so there was no second look.");
    } else if (missing.empty()) {
      std::string all =
          AllArePresent(static_cast<std::size_t>(Number(verification, "referencedImages")));
      all.front() = all.front() == 'a' ? 'A' : 'T';
      items.push_back(std::move(all));
    }
    for (const std::string& name : missing) items.push_back("MISSING although referenced: " + name);
    if (At(verification, "unfinishedPods").is_number()) {
      std::string pods =
          "Pods ready before: " +
          std::to_string(static_cast<long>(Number(verification, "readyPodsBefore"))) + " of " +
          std::to_string(static_cast<long>(Number(verification, "unfinishedPods")));
      if (At(verification, "readyPodsAfter").is_number())
        pods +=
            ", after: " + std::to_string(static_cast<long>(Number(verification, "readyPodsAfter")));
      items.push_back(pods + ".");
    }
    Add("Verification", Page::Bullets{std::move(items)});
  }

  // Of the repositories that are in use or lost something.
  void Versions() {
    struct Tags {
      std::string deployed, kept, removed;
    };
    std::map<std::string, Tags> repositories;
    const auto add = [](std::string& list, const std::string& tag) {
      list += (list.empty() ? "" : ", ") + tag;
    };
    for (const Json& image : At(report_, "images")) {
      const bool goes = std::ranges::any_of(
          went_, [&](const Json* outcome) { return Text(*outcome, "id") == Text(image, "id"); });
      for (const std::string& name : Texts(At(image, "names"))) {
        const auto [repository, tag] = Split(name);
        Tags& tags = repositories[repository];
        add(goes ? tags.removed : Text(image, "code") == "InUse" ? tags.deployed : tags.kept, tag);
      }
    }
    Page::Grid grid{{"Repository", "Deployed", "Kept besides", dry_run_ ? "Would go" : "Removed"},
                    {}};
    const auto shown = [](const std::string& list) { return list.empty() ? "(none)" : list; };
    for (const auto& [repository, tags] : repositories)
      if (!tags.deployed.empty() || !tags.removed.empty())
        grid.rows.push_back(
            {repository, shown(tags.deployed), shown(tags.kept), shown(tags.removed)});
    if (!grid.rows.empty()) Add("Versions", std::move(grid));
  }

  void GettingThingsBack() {
    if (went_.empty()) return;
    const std::string archive = Text(At(report_, "policy"), "archiveDir");
    std::string commands;
    std::vector<std::string> gone;
    for (const Json* outcome : went_) {
      const Json& image = ImageOf(*outcome);
      const auto names = Texts(At(image, "names"));
      const auto digests = Texts(At(image, "digests"));
      if (digests.empty()) {
        gone.push_back(NamesOf(image).front() + " has no repo digest: " +
                       (archive.empty() ? std::string("it can only be built again")
                        : dry_run_      ? "an archive of it would be in " + archive
                                        : "an archive of it is in " + archive));
      } else {
        commands += "crictl pull " + digests.front();
        for (std::size_t i = 0; i < names.size(); ++i)
          commands += (i == 0 ? "  # " : ", ") + names[i];
        commands += "\n";
      }
    }
    std::vector<Page::Block> blocks;
    blocks.emplace_back(Page::Paragraph{dry_run_ ? "After a run that removes, what can come back:"
                                                 : "What can come back:"});
    blocks.emplace_back(Page::Code{
        "sh", "imagesweep restore " +
                  (dry_run_ ? std::string("--last") : "--run " + Text(report_, "run")) + "\n"});
    if (!commands.empty()) {
      blocks.emplace_back(Page::Paragraph{"By hand, what a registry has, by its digest:"});
      blocks.emplace_back(Page::Code{"sh", commands});
    }
    if (!gone.empty()) blocks.emplace_back(Page::Bullets{gone});
    page_.sections.push_back({"Getting images back", std::move(blocks)});
  }

  void SizeLimits() {
    Page::Grid grid{{"Image", "Size", "Limit"}, {}};
    for (const Json& one : At(report_, "sizeLimitsExceeded"))
      grid.rows.push_back(
          {Text(one, "name"), Bytes(Number(one, "sizeBytes")), Bytes(Number(one, "maxSizeBytes"))});
    if (!grid.rows.empty()) Add("Over their size limit", std::move(grid));
  }

  void Cost() {
    const double price = Number(report_, "storageCostPerGiBMonth");
    if (price <= 0 || went_.empty()) return;
    char text[64];
    std::snprintf(text, sizeof text, "%.2f", price * SizeOfWent() / (1024.0 * 1024 * 1024));
    Add("Cost",
        Page::Paragraph{std::string(dry_run_ ? "Would save " : "Saves ") + text + " a month at " +
                        Text(report_, "storageCostText") + " for a GiB, by the runtime's sizes."});
  }

  void Failures() {
    Page::Grid grid{{"Image", "Outcome", "Why"}, {}};
    for (const Json* outcome : rest_)
      grid.rows.push_back(
          {NamesOf(ImageOf(*outcome)).front(), Text(*outcome, "outcome"), Text(*outcome, "error")});
    if (!grid.rows.empty()) Add("Not removed after all", std::move(grid));
  }

  const Json& report_;
  std::map<std::string, const Json*> images_;
  std::vector<const Json*> went_, rest_;
  std::set<std::string> dropped_;  // tags
  bool dry_run_ = false;
  Page page_;
};

}  // namespace

Result<Page> MakeSweepPage(const std::string& sweep_report) {
  const Json report = Json::parse(sweep_report, nullptr, false);
  if (!report.is_object() || Text(report, "kind") != "SweepReport")
    return Error{ErrorKind::kInvalid, "this is not a document of kind SweepReport"};
  return Builder(report).Build();
}

}  // namespace imagesweep
