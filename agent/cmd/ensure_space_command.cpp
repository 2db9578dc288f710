#include "agent/cmd/commands.h"
#include "agent/cmd/node_session.h"
#include "agent/cmd/render.h"
#include "agent/report/documents/free_space.h"
#include "agent/report/documents/json.h"
#include "agent/report/render/yaml.h"

namespace imagesweep {
namespace {

std::string Shown(const Options& options, const Report& report) {
  switch (options.output) {
    case Output::kJson:
      return SweepJson(report) + "\n";
    case Output::kYaml:
      return JsonToYaml(SweepJson(report)) + "\n";
    default:
      return SweepText(report, TextOptionsOf(options)) + FreeSpaceText(report);
  }
}

}  // namespace

int RunEnsureSpace(const Options& options, const std::stop_token& stop) {
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
  SweepOptions sweep;
  sweep.free_space_target = options.free_space_target;
  const Report report = session->Sweep(*active, std::move(sweep), stop);
  const bool printed = report.plan.decisions.empty() || PrintResult(Shown(options, report));
  if (report.refused) {
    PrintError(RefusalText(*report.refused));
    return kExitFailed;
  }
  return printed && HasFreeSpace(report) ? kExitDone : kExitFailed;
}

}  // namespace imagesweep
