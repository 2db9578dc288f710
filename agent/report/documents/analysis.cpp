#include "agent/report/documents/analysis.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "agent/base/duration.h"
#include "agent/base/quantity.h"
#include "agent/report/documents/document.h"
#include "agent/report/documents/listing.h"

namespace imagesweep {
namespace {

using Json = nlohmann::ordered_json;

std::string Dump(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

std::string Text(const Amount& amount) {
  return document::Count(amount.images, "image") + ", " + HumanBytes(amount.bytes);
}

std::string Users(const Report& report, const Decision& decision) {
  std::vector<std::string> users;
  for (const ImageUser& user : PodsOf(report.observation, decision))
    users.push_back(Describe(user));
  std::string text;
  for (std::size_t i = 0; i < users.size() && i < 3; ++i) text += (i == 0 ? "" : ", ") + users[i];
  if (users.size() > 3) text += " and " + std::to_string(users.size() - 3) + " more";
  return text.empty() ? decision.reason : text;
}

std::string Names(const Report& report, const std::vector<ImagePos>& unordered) {
  const auto images = ByName(report.observation, unordered);
  std::string text;
  for (std::size_t i = 0; i < images.size() && i < 5; ++i)
    text += (i == 0 ? "" : ", ") + ShownName(report.observation.images[images[i]]);
  if (images.size() > 5) text += " and " + std::to_string(images.size() - 5) + " more";
  return text;
}

std::string Risk(const Report& report, const CleanupOption& option) {
  if (!option.impossible.empty()) return "not possible: " + option.impossible;
  std::string risk;
  if (!option.breaks.empty())
    risk = "HIGH: removes images that are needed or kept: " + Names(report, option.breaks);
  if (!option.lost.empty())
    risk += (risk.empty() ? "HIGH: " : "; ") +
            std::string("no evidence proves that these can be pulled again: ") +
            Names(report, option.lost);
  if (!risk.empty()) return risk;
  return option.goes.images == 0 ? "none: no image is removed"
                                 : "low: all removed images can be pulled again";
}

Json AmountJson(const Amount& amount) {
  return {{"images", amount.images}, {"sizeBytes", amount.bytes}};
}

Json NamesJson(const Report& report, const std::vector<ImagePos>& images) {
  Json names = Json::array();
  for (const auto at : ByName(report.observation, images))
    names.push_back(report.observation.images[at].display_name());
  return names;
}

std::uint64_t BytesOf(const Report& report, const Plan& plan) {
  std::uint64_t bytes = 0;
  for (const auto at : plan.removals) bytes += report.observation.images[at].size_bytes;
  return bytes;
}

std::string Short(const Decision& decision) {
  return std::string(ToString(decision.verdict)) + " " + std::string(ToString(decision.code));
}

}  // namespace

constexpr const char* kUnseen =
    "Without Kubernetes, images that pods need but no container uses yet are not detected.";

Page MakeAnalysisPage(const Report& report, const Analysis& analysis, const ShortNames& names) {
  Page page;
  page.title = "Images of " + (report.node.empty() ? std::string("this node") : report.node);
  const auto add = [&](std::string title, auto... blocks) {
    Page::Section section{std::move(title), {}};
    (section.blocks.emplace_back(std::move(blocks)), ...);
    page.sections.push_back(std::move(section));
  };
  Page::Grid required{{"Image", "Size", "Needed by"}, {}, {{"Size"}, "Needed by"}};
  for (const auto at : ByName(report.observation, analysis.required)) {
    const Image& image = report.observation.images[at];
    required.rows.push_back({names.Of(ShownName(image)), HumanBytes(image.size_bytes),
                             Users(report, report.plan.decisions[at])});
  }
  add("Required", std::move(required),
      Page::Paragraph{"Total: " + Text(analysis.required_total) +
                      ". None of them is removed while it is needed." +
                      (report.evidence.without_kubernetes ? std::string(" ") + kUnseen : "")});

  Page::Grid idle{{"Image", "Size", "Unused for", "Confidence", "Verdict"},
                  {},
                  {{"Confidence", "Unused for", "Size"}, {}}};
  for (const IdleImage& one : analysis.idle) {
    const Image& image = report.observation.images[one.image];
    const ImageAge& age = report.observation.ages[one.image];
    idle.rows.push_back({names.Of(ShownName(image)), HumanBytes(image.size_bytes),
                         age.just_seen ? "not known yet" : HumanDuration(age.unused_for),
                         std::string(ToString(one.confidence)),
                         Short(report.plan.decisions[one.image])});
  }
  add("Idle", std::move(idle), Page::Paragraph{"Total: " + Text(analysis.idle_total) + "."});

  Page::Grid options{{"Option", "Would be removed", "Can be pulled again",
                      "Not proven to be in a registry", "Risk"},
                     {},
                     {{"Not proven to be in a registry", "Can be pulled again"}, "Risk"}};
  for (const CleanupOption& option : analysis.options)
    options.rows.push_back({option.name + (option.recommended ? " (recommended)" : ""),
                            Text(option.goes), Text(option.to_pull_again),
                            document::Count(option.lost.size(), "image"), Risk(report, option)});
  add("Options", std::move(options),
      Page::Paragraph{
          "The policy in force is " + report.policy.description +
          ". Each profile option uses this policy with that profile; fields that the policy sets "
          "still apply. \"everything unused\" is the set that `" +
          (report.runtime.name == "docker" ? "docker image prune --all" : "crictl rmi --prune") +
          "` removes. Sizes are as the runtime reports them."});
  return page;
}

std::string AnalysisJson(const Report& report, const Analysis& analysis) {
  Json json = {{"apiVersion", "imagesweep/v1alpha1"},
               {"kind", "Analysis"},
               {"node", report.node},
               {"withoutKubernetes", report.evidence.without_kubernetes}};
  Json required = Json::array();
  for (const auto at : ByName(report.observation, analysis.required)) {
    const Image& image = report.observation.images[at];
    required.push_back({{"name", image.display_name()},
                        {"id", image.id.text()},
                        {"sizeBytes", image.size_bytes},
                        {"neededBy", Users(report, report.plan.decisions[at])}});
  }
  Json idle = Json::array();
  for (const IdleImage& one : analysis.idle) {
    const Image& image = report.observation.images[one.image];
    idle.push_back({{"name", image.display_name()},
                    {"id", image.id.text()},
                    {"sizeBytes", image.size_bytes},
                    {"confidence", ToString(one.confidence)},
                    {"code", ToString(report.plan.decisions[one.image].code)}});
  }
  Json options = Json::array();
  for (const CleanupOption& option : analysis.options)
    options.push_back(
        {{"name", option.name},
         {"recommended", option.recommended},
         {"impossible", option.impossible.empty() ? Json(nullptr) : Json(option.impossible)},
         {"goes", AmountJson(option.goes)},
         {"toPullAgain", AmountJson(option.to_pull_again)},
         {"lost", NamesJson(report, option.lost)},
         {"breaks", NamesJson(report, option.breaks)}});
  json["required"] = {{"images", std::move(required)},
                      {"total", AmountJson(analysis.required_total)}};
  json["idle"] = {{"images", std::move(idle)}, {"total", AmountJson(analysis.idle_total)}};
  json["options"] = std::move(options);
  return Dump(json);
}

Page MakeDifferencePage(const Report& report, const Plan& then, const std::string& other,
                        std::span<const VerdictChange> changes, const ShortNames& names) {
  Page page;
  page.title = "Changes with " + other;
  Page::Grid grid{{"Image", "Size", "Now", "Then", "Reason"}, {}, {{"Size"}, "Reason"}};
  for (const VerdictChange& change : changes) {
    const Image& image = report.observation.images[change.image];
    grid.rows.push_back({names.Of(ShownName(image)), HumanBytes(image.size_bytes),
                         Short(change.now), Short(change.then), change.then.reason});
  }
  page.head.emplace_back(Page::Paragraph{
      report.policy.description == "defaults"
          ? "Compared with the defaults, because no policy in force is given; set "
            "--policy-configmap to compare with it."
          : "Compared with the policy in force, " + report.policy.description + "."});
  if (changes.empty())
    page.head.emplace_back(Page::Paragraph{"No changes: every image has the same verdict."});
  if (!grid.rows.empty()) page.head.emplace_back(std::move(grid));
  page.head.emplace_back(
      Page::Paragraph{"To remove now (" + report.policy.description +
                      "): " + Text({report.plan.removals.size(), BytesOf(report, report.plan)}) +
                      ". Then: " + Text({then.removals.size(), BytesOf(report, then)}) + "."});
  if (report.evidence.without_kubernetes) page.head.emplace_back(Page::Paragraph{kUnseen});
  return page;
}

std::string DifferenceJson(const Report& report, const Plan& then, const std::string& other,
                           std::span<const VerdictChange> changes) {
  const auto side = [](const Decision& decision) -> Json {
    return {{"verdict", ToString(decision.verdict)},
            {"code", ToString(decision.code)},
            {"reason", decision.reason}};
  };
  Json list = Json::array();
  for (const VerdictChange& change : changes) {
    const Image& image = report.observation.images[change.image];
    list.push_back({{"id", image.id.text()},
                    {"name", image.display_name()},
                    {"sizeBytes", image.size_bytes},
                    {"now", side(change.now)},
                    {"then", side(change.then)}});
  }
  return Dump(
      {{"apiVersion", "imagesweep/v1alpha1"},
       {"kind", "PlanDifference"},
       {"node", report.node},
       {"withoutKubernetes", report.evidence.without_kubernetes},
       {"now",
        {{"policy", report.policy.description},
         {"toRemove", AmountJson({report.plan.removals.size(), BytesOf(report, report.plan)})}}},
       {"then",
        {{"policy", other},
         {"toRemove", AmountJson({then.removals.size(), BytesOf(report, then)})}}},
       {"changes", std::move(list)}});
}

}  // namespace imagesweep
