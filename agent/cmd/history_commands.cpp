#include "agent/cmd/commands.h"
#include "agent/cmd/render.h"
#include "agent/report/documents/history.h"
#include "agent/report/documents/sweep_page.h"
#include "agent/report/render/yaml.h"
#include "agent/state/history.h"

// report and history: show earlier runs.  They need only the state directory, unless report is
// about several image stores.

namespace imagesweep {
namespace {

constexpr const char* kNoRuns =
    "no runs recorded yet; set --state-dir to the directory that the agent or `imagesweep sweep` "
    "uses";

int Fail(const std::string& what) {
  PrintError(what);
  return kExitFailed;
}

// Reading must not create a history: null if the directory has none yet.
Result<std::unique_ptr<History>> OpenToRead(const Options& options, const Clock& clock) {
  if (options.state_dir.empty()) return std::unique_ptr<History>();
  const auto exists = History::Exists(options.state_dir);
  if (!exists)
    return Error{exists.error().kind, exists.error().what +
                                          ": no runs recorded there; set --state-dir to the "
                                          "directory that the agent or `imagesweep sweep` uses"};
  if (!*exists) return std::unique_ptr<History>();
  return History::Open(options.state_dir, clock);
}

}  // namespace

int RunReport(const Options& options, const std::stop_token& stop) {
  if (options.runtime_endpoints.size() > 1) return RunStoresReport(options, stop);
  const RealClock clock;
  const auto history = OpenToRead(options, clock);
  if (!history) return Fail(history.error().what);
  if (*history == nullptr) return Fail(kNoRuns);
  const auto found = (*history)->Find(options.run);
  if (!found) return Fail(found.error().what);
  if (!*found)
    return Fail(options.run.empty() ? kNoRuns
                                    : "no run \"" + options.run +
                                          "\" recorded; `imagesweep history` lists the runs");
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
      const auto page = MakeSweepPage(document, options.output != Output::kTable);
      if (!page) return Fail("run " + (*found)->run + ": " + page.error().what);
      out = PageText(options, *page);
      break;
    }
  }
  return PrintResult(out) ? kExitDone : kExitFailed;
}

int RunHistory(const Options& options) {
  const RealClock clock;
  const auto history = OpenToRead(options, clock);
  if (!history) return Fail(history.error().what);
  Result<std::vector<RunEntry>> runs = std::vector<RunEntry>();
  if (*history != nullptr) runs = (*history)->Runs();
  if (!runs) return Fail(runs.error().what);
  if (runs->empty()) PrintError(kNoRuns);  // not a failure
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
      if (!runs->empty()) out = HistoryText(*runs, TextOptionsOf(options));
      break;
  }
  return PrintResult(out) ? kExitDone : kExitFailed;
}

}  // namespace imagesweep
