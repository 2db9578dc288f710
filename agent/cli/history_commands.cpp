#include <nlohmann/json.hpp>

#include "agent/base/quantity.h"
#include "agent/cli/commands.h"
#include "agent/cli/render.h"
#include "agent/report/sweep_page.h"
#include "agent/report/table.h"
#include "agent/report/yaml.h"
#include "agent/state/history.h"

// report and history: what earlier runs did.  They need the state directory and nothing else.

namespace imagesweep {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kNoRuns =
    "no run is remembered here; --state-dir names the directory that the agent or `imagesweep "
    "sweep` keeps";

int Fail(const std::string& what) {
  PrintError(what);
  return kExitFailed;
}

std::string HistoryJson(const std::vector<RunEntry>& runs) {
  Json list = Json::array();
  for (const RunEntry& run : runs)
    list.push_back({{"run", run.run},
                    {"startedAt", FormatTime(run.started)},
                    {"finishedAt", FormatTime(run.finished)},
                    {"dryRun", run.dry_run},
                    {"result", run.result},
                    {"removed", run.removed},
                    {"sizeBytes", run.bytes},
                    {"times", run.times},
                    {"headline", run.headline}});
  return Json({{"apiVersion", "imagesweep/v1alpha1"}, {"kind", "RunList"}, {"runs", list}})
      .dump(2, ' ', false, Json::error_handler_t::replace);
}

std::string HistoryTable(const std::vector<RunEntry>& runs, const Options& options) {
  std::vector<std::string> header = {"RUN",     "STARTED", "DRY-RUN", "RESULT",
                                     "REMOVED", "SIZE",    "TIMES"};
  if (options.output == Output::kWide) header.emplace_back("HEADLINE");
  Table table(std::move(header));
  for (const RunEntry& run : runs) {
    std::vector<std::string> row = {run.run,
                                    FormatTime(run.started),
                                    run.dry_run ? "true" : "false",
                                    run.result,
                                    std::to_string(run.removed),
                                    HumanBytes(run.bytes),
                                    std::to_string(run.times)};
    if (options.output == Output::kWide) row.push_back(run.headline);
    table.Add(std::move(row));
  }
  return table.Render(!options.no_headers);
}

}  // namespace

int RunReport(const Options& options) {
  const RealClock clock;
  const auto found = History::Open(options.state_dir, clock)->Find(options.run);
  if (!found) return Fail(found.error().what);
  if (!*found)
    return Fail(options.run.empty() ? kNoRuns
                                    : "no run \"" + options.run +
                                          "\" is remembered; `imagesweep history` lists them");
  const std::string& document = (*found)->report;
  std::string out;
  switch (options.output) {
    case Output::kJson:
      out = document + "\n";
      break;
    case Output::kYaml:
      out = JsonToYaml(document) + "\n";
      break;
    case Output::kName:
      out = (*found)->run + "\n";
      break;
    case Output::kMarkdown:
    case Output::kTable:
    case Output::kWide: {
      const auto page = MakeSweepPage(document);
      if (!page) return Fail("run " + (*found)->run + ": " + page.error().what);
      out = options.output == Output::kMarkdown ? ToMarkdown(*page) : ToText(*page);
      break;
    }
  }
  return PrintResult(out) ? kExitDone : kExitFailed;
}

int RunHistory(const Options& options) {
  const RealClock clock;
  const auto runs = History::Open(options.state_dir, clock)->Runs();
  if (!runs) return Fail(runs.error().what);
  std::string out;
  switch (options.output) {
    case Output::kJson:
      out = HistoryJson(*runs) + "\n";
      break;
    case Output::kYaml:
      out = JsonToYaml(HistoryJson(*runs)) + "\n";
      break;
    case Output::kName:
      for (const RunEntry& run : *runs) out += run.run + "\n";
      break;
    case Output::kTable:
    case Output::kWide:
    case Output::kMarkdown:
      if (runs->empty()) return Fail(kNoRuns);
      out = HistoryTable(*runs, options);
      break;
  }
  return PrintResult(out) ? kExitDone : kExitFailed;
}

}  // namespace imagesweep
