#include "agent/cmd/commands.h"
#include "agent/cmd/node_session.h"
#include "agent/cmd/render.h"
#include "agent/report/documents/json.h"
#include "agent/report/render/yaml.h"

namespace imagesweep {
namespace {

int Print(const Options& options, const Report& report) {
  PrintWarnings(options, report);
  std::string out;
  switch (options.output) {
    case Output::kJson:
      out = SweepJson(report) + "\n";
      break;
    case Output::kYaml:
      out = JsonToYaml(SweepJson(report)) + "\n";
      break;
    case Output::kName:
      for (const Outcome& outcome : report.outcomes)
        if (outcome.kind == OutcomeKind::kRemoved || outcome.kind == OutcomeKind::kWouldRemove)
          out += report.observation.images[outcome.image].display_name() + "\n";
      break;
    case Output::kTable:
    case Output::kWide:
    case Output::kMarkdown:
      if (!report.refused || !report.outcomes.empty())
        out = SweepText(report, TextOptionsOf(options));
      break;
  }
  return PrintResult(out) ? kExitDone : kExitFailed;
}

}  // namespace

int RunSweep(const Options& options, const std::stop_token& stop) {
  auto session = NodeSession::Open(options, stop);
  if (!session) {
    PrintError(session.error().what);
    return CodeFor(session.error());
  }
  const auto active = session->ReadPolicy(stop);
  if (!active) {
    PrintError(active.error().what);
    return CodeFor(active.error());
  }
  const Report report = session->Sweep(*active, {}, stop);
  const int printed = Print(options, report);
  if (report.refused) {
    PrintError(RefusalText(*report.refused));
    return kExitFailed;
  }
  const bool failed =
      report.Failures() > 0 || !report.missing_after.empty() || stop.stop_requested();
  return failed ? kExitFailed : printed;
}

}  // namespace imagesweep
