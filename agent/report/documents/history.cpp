#include "agent/report/documents/history.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "agent/base/quantity.h"
#include "agent/report/render/table.h"

namespace imagesweep {

using Json = nlohmann::ordered_json;

std::string HistoryJson(std::span<const RunEntry> runs) {
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

std::string HistoryText(std::span<const RunEntry> runs, const TextOptions& options) {
  std::vector<std::string> header = {"RUN",     "STARTED", "DRY-RUN", "RESULT",
                                     "REMOVED", "SIZE",    "TIMES"};
  if (options.wide) header.emplace_back("HEADLINE");
  Table table(std::move(header), {{"TIMES", "SIZE", "DRY-RUN", "STARTED"}, "HEADLINE"});
  for (const RunEntry& run : runs) {
    std::vector<std::string> row = {run.run,
                                    FormatTime(run.started),
                                    run.dry_run ? "true" : "false",
                                    run.result,
                                    std::to_string(run.removed) + (run.dry_run ? " (would)" : ""),
                                    HumanBytes(run.bytes),
                                    std::to_string(run.times)};
    if (options.wide) row.push_back(run.headline);
    table.Add(std::move(row));
  }
  std::string text = table.Render(options.with_header, options.width);
  const bool joined = std::ranges::any_of(runs, [](const RunEntry& run) { return run.times > 1; });
  if (joined && options.with_header)
    text += "TIMES: number of consecutive runs that had nothing to do and share this line.\n";
  return text;
}

}  // namespace imagesweep
