#include <algorithm>
#include <set>

#include "agent/cmd/commands.h"
#include "agent/cmd/image_choice.h"
#include "agent/cmd/image_query.h"
#include "agent/cmd/missing_image.h"
#include "agent/cmd/node_session.h"
#include "agent/cmd/render.h"
#include "agent/daemon/policy_store.h"
#include "agent/gc/plan/explain.h"
#include "agent/gc/plan/plan_context.h"
#include "agent/gc/plan/planner.h"
#include "agent/gc/plan/what_if.h"
#include "agent/model/image_index.h"
#include "agent/report/documents/analysis.h"
#include "agent/report/documents/image_list.h"
#include "agent/report/documents/json.h"
#include "agent/report/documents/listing.h"
#include "agent/report/documents/sweep_page.h"
#include "agent/report/render/yaml.h"

// images, plan, analyze, and explain: observe and plan, remove nothing.

namespace imagesweep {
namespace {

struct Evaluation {
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
std::optional<Evaluation> EvaluateNode(const Options& options,
                                       const std::optional<Profile>& profile,
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
  Evaluation evaluation{*std::move(session), *std::move(active), {}, nullptr};
  evaluation.report =
      evaluation.session.sweeper().Evaluate(evaluation.active, stop, &evaluation.layers);
  if (profile && !evaluation.report.matched_override.empty() &&
      evaluation.report.effective_policy.profile != *profile)
    evaluation.report.warnings.push_back(
        "the override for " + evaluation.report.matched_override + " sets its own profile: " +
        std::string(ToString(evaluation.report.effective_policy.profile)));
  if (evaluation.report.refused) {
    PrintError(ReadOnlyRefusalText(*evaluation.report.refused));
    code = kExitFailed;
    return std::nullopt;
  }
  return evaluation;
}

std::string NamesOf(const Report& report, const std::vector<ImagePos>& images) {
  std::string text;
  for (const auto at : images) text += report.observation.images[at].display_name() + "\n";
  return text;
}

int Print(const Options& options, const Report& report, const std::string& json,
          const std::string& text, const std::vector<ImagePos>& named) {
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

// The images of the arguments NAME, or all.
Result<std::vector<ImagePos>> NamedImages(const Options& options, const Observation& seen) {
  if (options.names.empty()) return AllByName(seen);
  std::set<ImagePos> named;
  for (const std::string& name : options.names) {
    const auto found = ImagesNamed(seen.images, name);
    if (!found) return found.error();
    if (found->empty() && !IsPattern(name))
      return Error{ErrorKind::kNotFound, MissingImageText(options, name, seen)};
    named.insert(found->begin(), found->end());
  }
  return std::vector<ImagePos>(named.begin(), named.end());
}

}  // namespace

int RunImages(const Options& options, const std::stop_token& stop) {
  int code = kExitDone;
  const auto evaluation = EvaluateNode(options, std::nullopt, stop, code);
  if (!evaluation) return code;
  const Report& report = evaluation->report;
  const auto named = NamedImages(options, report.observation);
  if (!named) {
    PrintError(named.error().what);
    return CodeFor(named.error());
  }
  const auto images = SortImages(report, FilterImages(report, *named, options.filters),
                                 options.sort, options.reverse);
  if (options.quiet) {
    Options rows_alone = options;
    rows_alone.no_headers = true;
    PrintWarnings(rows_alone, report);
    std::string ids;
    for (const auto at : images) ids += report.observation.images[at].id.text() + "\n";
    return PrintResult(ids) ? kExitDone : kExitFailed;
  }
  if (images.empty() && !(options.names.empty() && options.filters.empty()))
    PrintError("no image of this node matches the names and filters");  // not a failure
  return Print(options, report, ImagesJson(report, images),
               ImagesText(report, images, TextOptionsOf(options)), images);
}

namespace {

ShortNames NamesFor(const Options& options, const Report& report) {
  return options.output == Output::kTable ? ShortNames(report.observation.images)
                                          : ShortNames::Full();
}

// Compares a policy file or a profile with the policy in force.  With a profile and no ConfigMap,
// the file is the policy in force.
int PrintDifference(const Options& options, const std::stop_token& stop) {
  const bool file_is_candidate =
      !options.policy_file.empty() && (!options.policy_configmap.empty() || !options.try_profile);
  Options effective_policy = options;
  if (file_is_candidate) effective_policy.policy_file.clear();
  int code = kExitDone;
  const auto evaluation = EvaluateNode(effective_policy, std::nullopt, stop, code);
  if (!evaluation) return code;
  const Report& report = evaluation->report;
  ActivePolicy other = evaluation->active;
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
  const Plan then = MakePlan(PlanContext(there, report.observation, evaluation->layers.get()));
  const std::vector<VerdictChange> changes = Differences(report.observation, report.plan, then);
  std::vector<ImagePos> named;
  named.reserve(changes.size());
  for (const VerdictChange& change : changes) named.push_back(change.image);
  return Print(
      options, report, DifferenceJson(report, then, name, changes),
      PageText(options, MakeDifferencePage(report, then, name, changes, NamesFor(options, report))),
      named);
}

}  // namespace

int RunAnalyze(const Options& options, const std::stop_token& stop) {
  if (!options.compare.empty()) return RunCompare(options);
  if (options.layers) return RunAnalyzeLayers(options, stop);
  int code = kExitDone;
  const auto evaluation = EvaluateNode(options, std::nullopt, stop, code);
  if (!evaluation) return code;
  const Report& report = evaluation->report;
  const auto with_profile = [&](Profile profile) -> Result<Policy> {
    auto policy = WithProfile(evaluation->active, profile);
    if (!policy) return policy;
    return Policy(OnThisNode(*policy, report));
  };
  const Analysis analysis = Analyze(report.effective_policy, with_profile, report.observation);
  std::vector<ImagePos> idle;
  idle.reserve(analysis.idle.size());
  for (const IdleImage& one : analysis.idle) idle.push_back(one.image);
  return Print(options, report, AnalysisJson(report, analysis),
               PageText(options, MakeAnalysisPage(report, analysis, NamesFor(options, report))),
               idle);
}

int RunPlan(const Options& options, const std::stop_token& stop) {
  if (options.diff) return PrintDifference(options, stop);
  int code = kExitDone;
  const auto evaluation = EvaluateNode(options, options.try_profile, stop, code);
  if (!evaluation) return code;
  return Print(options, evaluation->report, PlanJson(evaluation->report),
               options.output == Output::kMarkdown
                   ? PageText(options, MakePlanPage(evaluation->report))
                   : PlanText(evaluation->report, TextOptionsOf(options)),
               evaluation->report.plan.removals);
}

int RunExplain(const Options& options, const std::stop_token& stop) {
  int code = kExitDone;
  const auto evaluation = EvaluateNode(options, std::nullopt, stop, code);
  if (!evaluation) return code;
  const Observation& seen = evaluation->report.observation;
  const auto matches = ImagesMeantBy(seen.images, options.image);
  if (matches.empty()) {
    PrintError(MissingImageText(options, options.image, seen));
    return kExitFailed;
  }
  if (matches.size() > 1) {
    PrintError("\"" + options.image + "\" matches " + std::to_string(matches.size()) +
               " images; specify one of them:\n" +
               NamesOf(evaluation->report, ByName(seen, matches)));
    return kExitFailed;
  }
  const ImagePos image = matches.front();
  const PlanContext context(evaluation->report.effective_policy, seen);
  const Explanation explanation = Explain(context, evaluation->report.plan, image);
  std::vector<ExplainedStep> steps;
  for (const Step& step : explanation.steps)
    steps.push_back({std::string(ToString(step.code)), step.applies, step.decides, step.evidence});
  return Print(
      options, evaluation->report,
      ExplanationJson(evaluation->report, image, steps, explanation.what_would_change_it,
                      explanation.goes ? std::optional(explanation.goes->at) : std::nullopt),
      ExplanationText(evaluation->report, image, steps, explanation.what_would_change_it), matches);
}

}  // namespace imagesweep
