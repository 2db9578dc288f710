#include <unistd.h>

#include "agent/base/quantity.h"
#include "agent/cmd/commands.h"
#include "agent/cmd/node_session.h"
#include "agent/cmd/progress.h"
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
    return session.error().kind == ErrorKind::kInvalid ? kExitUsage : kExitFailed;
  }
  const auto active = session->ReadPolicy(stop);
  if (!active) {
    PrintError(active.error().what);
    return active.error().kind == ErrorKind::kInvalid ? kExitUsage : kExitFailed;
  }
  SweepOptions sweep;
  sweep.free_space_target = options.free_space_target;
  sweep.dry_run = options.dry_run.value_or(true);
  if (!*sweep.dry_run) sweep.hooks.reason_to_end = [&] { return session->WhyEnd(*active, stop); };
  Report report;
  {
    Progress progress(isatty(STDERR_FILENO) != 0);
    if (!options.quiet && !*sweep.dry_run) progress.Watch(sweep.hooks);
    report = session->sweeper().Sweep(*active, sweep, stop);
  }
  const bool printed = report.plan.decisions.empty() || PrintResult(Shown(options, report));
  if (report.refused) {
    PrintError(RefusalText(*report.refused));
    return kExitFailed;
  }
  return printed && HasFreeSpace(report) ? kExitDone : kExitFailed;
}

}  // namespace imagesweep
