#include <algorithm>

#include "agent/app/policy_store.h"
#include "agent/cli/commands.h"
#include "agent/cli/image_choice.h"
#include "agent/cli/missing_image.h"
#include "agent/cli/node_session.h"
#include "agent/cli/render.h"
#include "agent/model/image_index.h"
#include "agent/plan/explain.h"
#include "agent/plan/planner.h"
#include "agent/plan/scene.h"
#include "agent/plan/what_if.h"
#include "agent/report/analysis.h"
#include "agent/report/json.h"
#include "agent/report/listing.h"
#include "agent/report/yaml.h"

// images, plan, analyze, and explain: observe and plan, remove nothing.

namespace imagesweep {
namespace {

struct Look {
  NodeSession session;
  ActivePolicy active;
  Report report;
  std::shared_ptr<const layers::LayerGraph> layers;  // null: not known
};

// The policy with the override for this node, if any.
const Policy& OnThisNode(const Policy& policy, const Report& report) {
  const Override* const found = policy.OverrideFor(report.node_labels);
  return found == nullptr ? policy : *found->policy;
}

// Connects, observes and plans, with the profile if given.  Empty on failure, with the exit code in
// `code`.
std::optional<Look> TakeLook(const Options& options, const std::optional<Profile>& profile,
                             const std::stop_token& stop, int& code) {
  auto session = NodeSession::Open(options, stop);
  if (!session) {
    PrintError(session.error().what);
    code = CodeFor(session.error());
    return std::nullopt;
  }
  auto active = session->ReadPolicy(stop);
  if (!active) {
    PrintError(active.error().what);
    code = CodeFor(active.error());
    return std::nullopt;
  }
  if (profile) {
    auto policy = WithProfile(*active, *profile);
    if (!policy) {
      PrintError(policy.error().what);
      code = CodeFor(policy.error());
      return std::nullopt;
    }
    active->policy = *std::move(policy);
    if (options.minimum_age)
      active->policy = WithMinimumAge(std::move(active->policy), *options.minimum_age);
    active->source.description += ", with profile " + std::string(ToString(*profile));
  }
  Look look{*std::move(session), *std::move(active), {}, nullptr};
  look.report = look.session.sweeper().Evaluate(look.active, stop, &look.layers);
  if (profile && !look.report.override_for.empty() && look.report.in_force.profile != *profile)
    look.report.warnings.push_back(
        "the override for " + look.report.override_for +
        " sets its own profile: " + std::string(ToString(look.report.in_force.profile)));
  if (look.report.refused) {
    PrintError(BlindText(*look.report.refused));
    code = kExitFailed;
    return std::nullopt;
  }
  return look;
}

std::string NamesOf(const Report& report, const std::vector<std::uint32_t>& images) {
  std::string text;
  for (const auto at : images) text += report.observation.images[at].display_name() + "\n";
  return text;
}

int Print(const Options& options, const Report& report, const std::string& json,
          const std::string& text, const std::vector<std::uint32_t>& named) {
  PrintWarnings(options, report);
  std::string out;
  switch (options.output) {
    case Output::kJson:
      out = json + "\n";
      break;
    case Output::kYaml:
      out = JsonToYaml(json) + "\n";
      break;
    case Output::kName:
      out = NamesOf(report, named);
      break;
    case Output::kTable:
    case Output::kWide:
    case Output::kMarkdown:
      out = text;
      break;
  }
  return PrintResult(out) ? kExitDone : kExitFailed;
}

}  // namespace

int RunImages(const Options& options, const std::stop_token& stop) {
  int code = kExitDone;
  const auto look = TakeLook(options, std::nullopt, stop, code);
  if (!look) return code;
  return Print(options, look->report, ImagesJson(look->report),
               ImagesText(look->report, TextOptionsOf(options)),
               AllByName(look->report.observation));
}

namespace {

std::string Shown(const Options& options, const Page& page) {
  return options.output == Output::kMarkdown ? ToMarkdown(page) : ToText(page);
}

// Compares a policy file or a profile with the policy in force.  With a profile and no ConfigMap,
// the file is the policy in force.
int PrintDifference(const Options& options, const std::stop_token& stop) {
  const bool file_is_candidate =
      !options.policy_file.empty() && (!options.policy_configmap.empty() || !options.try_profile);
  Options in_force = options;
  if (file_is_candidate) in_force.policy_file.clear();
  int code = kExitDone;
  const auto look = TakeLook(in_force, std::nullopt, stop, code);
  if (!look) return code;
  const Report& report = look->report;
  ActivePolicy other = look->active;
  std::string name = report.policy.description;
  if (file_is_candidate) {
    auto loaded = LoadPolicyFile(options.policy_file);
    if (!loaded) {
      PrintError(loaded.error().what);
      return CodeFor(loaded.error());
    }
    other = *std::move(loaded);
    name = options.policy_file;
  }
  if (options.try_profile) {
    auto policy = WithProfile(other, *options.try_profile);
    if (!policy) {
      PrintError(policy.error().what);
      return CodeFor(policy.error());
    }
    other.policy = *std::move(policy);
    name += " with profile " + std::string(ToString(*options.try_profile));
  }
  if (options.minimum_age)
    other.policy = WithMinimumAge(std::move(other.policy), *options.minimum_age);
  const Policy& there = OnThisNode(other.policy, report);
  const Plan then = MakePlan(Scene(there, report.observation, look->layers.get()));
  const std::vector<VerdictChange> changes = Differences(report.observation, report.plan, then);
  std::vector<std::uint32_t> named;
  named.reserve(changes.size());
  for (const VerdictChange& change : changes) named.push_back(change.image);
  return Print(options, report, DifferenceJson(report, then, name, changes),
               Shown(options, MakeDifferencePage(report, then, name, changes)), named);
}

}  // namespace

int RunAnalyze(const Options& options, const std::stop_token& stop) {
  if (!options.compare.empty()) return RunCompare(options);
  if (options.layers) return RunAnalyzeLayers(options, stop);
  int code = kExitDone;
  const auto look = TakeLook(options, std::nullopt, stop, code);
  if (!look) return code;
  const Report& report = look->report;
  const auto with_profile = [&](Profile profile) -> Result<Policy> {
    auto policy = WithProfile(look->active, profile);
    if (!policy) return policy;
    return Policy(OnThisNode(*policy, report));
  };
  const Analysis analysis = Analyze(report.in_force, with_profile, report.observation);
  std::vector<std::uint32_t> idle;
  idle.reserve(analysis.idle.size());
  for (const IdleImage& one : analysis.idle) idle.push_back(one.image);
  return Print(options, report, AnalysisJson(report, analysis),
               Shown(options, MakeAnalysisPage(report, analysis)), idle);
}

int RunPlan(const Options& options, const std::stop_token& stop) {
  if (options.diff) return PrintDifference(options, stop);
  int code = kExitDone;
  const auto look = TakeLook(options, options.try_profile, stop, code);
  if (!look) return code;
  return Print(options, look->report, PlanJson(look->report),
               PlanText(look->report, TextOptionsOf(options)), look->report.plan.removals);
}

int RunExplain(const Options& options, const std::stop_token& stop) {
  int code = kExitDone;
  const auto look = TakeLook(options, std::nullopt, stop, code);
  if (!look) return code;
  const Observation& seen = look->report.observation;
  const auto matches = ImagesMeantBy(seen.images, options.image);
  if (matches.empty()) {
    PrintError(MissingImageText(options, seen));
    return kExitFailed;
  }
  if (matches.size() > 1) {
    PrintError("\"" + options.image + "\" matches " + std::to_string(matches.size()) +
               " images; specify one of them:\n" + NamesOf(look->report, ByName(seen, matches)));
    return kExitFailed;
  }
  const std::uint32_t image = matches.front();
  const Scene scene(look->report.in_force, seen);
  const Explanation explanation = Explain(scene, look->report.plan, image);
  std::vector<ExplainedStep> steps;
  for (const Step& step : explanation.steps)
    steps.push_back({std::string(ToString(step.code)), step.applies, step.decides, step.evidence});
  return Print(
      options, look->report,
      ExplanationJson(look->report, image, steps, explanation.what_would_change_it,
                      explanation.goes ? std::optional(explanation.goes->at) : std::nullopt),
      ExplanationText(look->report, image, steps, explanation.what_would_change_it), matches);
}

}  // namespace imagesweep
