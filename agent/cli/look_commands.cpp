#include <algorithm>

#include "agent/app/policy_store.h"
#include "agent/cli/commands.h"
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

// images, plan, analyze and explain: one look, one decision, no removal.

namespace imagesweep {
namespace {

struct Look {
  NodeSession session;
  ActivePolicy active;
  Report report;
};

// Connects, looks and decides; empty with the exit code in `code` when that failed.
std::optional<Look> TakeLook(const Options& options, const std::stop_token& stop, int& code) {
  auto session = NodeSession::Open(options, stop);
  if (!session) {
    PrintError(session.error().what);
    code = session.error().kind == ErrorKind::kInvalid ? kExitUsage : kExitFailed;
    return std::nullopt;
  }
  auto active = session->ReadPolicy(stop);
  if (!active) {
    PrintError(active.error().what);
    code = active.error().kind == ErrorKind::kInvalid ? kExitUsage : kExitFailed;
    return std::nullopt;
  }
  Look look{*std::move(session), *std::move(active), {}};
  look.report = look.session.sweeper().Evaluate(look.active, stop);
  if (look.report.refused) {
    PrintError(RefusalText(*look.report.refused));
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
  const auto look = TakeLook(options, stop, code);
  if (!look) return code;
  return Print(options, look->report, ImagesJson(look->report),
               ImagesText(look->report, TextOptionsOf(options)),
               AllByName(look->report.observation));
}

namespace {

std::string Shown(const Options& options, const Page& page) {
  return options.output == Output::kMarkdown ? ToMarkdown(page) : ToText(page);
}

// What a policy file or a profile would change, against the policy in force.
int PrintDifference(const Options& options, const std::stop_token& stop) {
  Options in_force = options;
  in_force.policy_file.clear();
  int code = kExitDone;
  const auto look = TakeLook(in_force, stop, code);
  if (!look) return code;
  const Report& report = look->report;
  Policy other = report.in_force;
  std::string name = "the policy in force";
  if (!options.policy_file.empty()) {
    const auto loaded = LoadPolicyFile(options.policy_file);
    if (!loaded) {
      PrintError(loaded.error().what);
      return kExitUsage;
    }
    other = loaded->policy;
    name = options.policy_file;
  }
  if (options.try_profile) {
    other = WithProfile(other, *options.try_profile);
    name += std::string(" with profile ") + std::string(ToString(*options.try_profile));
  }
  const Plan then = MakePlan(other, report.observation);
  const auto changes = Differences(report.observation, report.plan, then);
  std::vector<std::uint32_t> named;
  named.reserve(changes.size());
  for (const VerdictChange& change : changes) named.push_back(change.image);
  return Print(options, report, DifferenceJson(report, then, name, changes),
               Shown(options, MakeDifferencePage(report, then, name, changes)), named);
}

}  // namespace

int RunAnalyze(const Options& options, const std::stop_token& stop) {
  int code = kExitDone;
  const auto look = TakeLook(options, stop, code);
  if (!look) return code;
  const Report& report = look->report;
  const Analysis analysis = Analyze(report.in_force, report.observation);
  std::vector<std::uint32_t> idle;
  idle.reserve(analysis.idle.size());
  for (const IdleImage& one : analysis.idle) idle.push_back(one.image);
  return Print(options, report, AnalysisJson(report, analysis),
               Shown(options, MakeAnalysisPage(report, analysis)), idle);
}

int RunPlan(const Options& options, const std::stop_token& stop) {
  if (options.diff) return PrintDifference(options, stop);
  int code = kExitDone;
  auto look = TakeLook(options, stop, code);
  if (!look) return code;
  if (options.try_profile) {
    look->report.in_force = WithProfile(look->report.in_force, *options.try_profile);
    look->report.policy.description += ", profile " + std::string(ToString(*options.try_profile));
    look->report.plan = MakePlan(look->report.in_force, look->report.observation);
  }
  return Print(options, look->report, PlanJson(look->report),
               PlanText(look->report, TextOptionsOf(options)), look->report.plan.removals);
}

int RunExplain(const Options& options, const std::stop_token& stop) {
  int code = kExitDone;
  const auto look = TakeLook(options, stop, code);
  if (!look) return code;
  const Observation& seen = look->report.observation;
  const auto matches = ImageIndex(seen.images).Resolve(options.image);
  if (matches.empty()) {
    PrintError("this node has no image \"" + options.image +
               "\"; `imagesweep images` lists what it has");
    return kExitFailed;
  }
  if (matches.size() > 1) {
    PrintError("\"" + options.image + "\" may mean " + std::to_string(matches.size()) +
               " images; say which:\n" + NamesOf(look->report, matches));
    return kExitFailed;
  }
  const std::uint32_t image = matches.front();
  const Scene scene(look->report.in_force, seen);
  const Explanation explanation = Explain(scene, look->report.plan, image);
  std::vector<ExplainedStep> steps;
  for (const Step& step : explanation.steps)
    steps.push_back({std::string(ToString(step.code)), step.applies, step.decides, step.evidence});
  return Print(options, look->report,
               ExplanationJson(look->report, image, steps, explanation.what_would_change_it),
               ExplanationText(look->report, image, steps, explanation.what_would_change_it),
               matches);
}

}  // namespace imagesweep
