#include "agent/report/documents/watch_screen.h"

#include <algorithm>
#include <map>

#include "agent/base/quantity.h"
#include "agent/model/verdict_codes.h"
#include "agent/report/documents/text.h"
#include "agent/report/render/printable.h"
#include "agent/report/render/table.h"

namespace imagesweep {
namespace {

// "[########|##-----]": the disk usage, with a mark where removal begins.
std::string DiskBar(int used_percent, int high_percent, std::size_t width) {
  std::string bar(width, '-');
  const auto at = [&](int percent) {
    return std::min(width, width * static_cast<std::size_t>(std::max(percent, 0)) / 100);
  };
  std::fill_n(bar.begin(), at(used_percent), '#');
  if (high_percent > 0 && at(high_percent) < width) bar[at(high_percent)] = '|';
  return "[" + bar + "]";
}

std::string DiskLine(const Report& report) {
  const auto& disk = report.observation.disk;
  if (!disk) return "Disk      not known";
  constexpr std::size_t kBar = 30;
  const Thresholds& thresholds = report.effective_policy.disk;
  std::string line = "Disk      " + DiskBar(disk->used_percent(), thresholds.high_percent, kBar) +
                     " " + std::to_string(disk->used_percent()) + "% of " +
                     HumanBytes(disk->capacity_bytes) + ", " + HumanBytes(disk->available_bytes) +
                     " available";
  if (thresholds.high_percent > 0)
    line += "; from " + std::to_string(thresholds.high_percent) + "% down to " +
            std::to_string(thresholds.low_percent) + "%";
  return line;
}

std::string States(const Report& report) {
  std::map<std::string_view, std::pair<std::size_t, std::uint64_t>> by_state;
  for (const Decision& decision : report.plan.decisions) {
    auto& [count, bytes] = by_state[RowOf(decision.code).state];
    ++count;
    bytes += report.observation.images[decision.image].size_bytes;
  }
  Table table({"IMAGES", "COUNT", "SIZE"});
  for (const char* state : kImageStates) {
    const auto& [count, bytes] = by_state[state];
    table.Add({state, std::to_string(count), HumanBytes(bytes)});
  }
  return table.Render();
}

}  // namespace

std::string WatchScreen(const WatchView& view, std::size_t width, std::size_t height) {
  const Report& report = view.report;
  std::vector<std::string> lines;
  lines.push_back("Node      " + report.node + "  " + report.runtime.name + " " +
                  report.runtime.version +
                  (report.evidence.without_kubernetes ? ", without Kubernetes" : "") + "  " +
                  FormatTime(report.finished).substr(0, 19) + "Z");
  lines.push_back("Policy    " + report.policy.description +
                  (report.effective_policy.suspend   ? ", suspended: nothing is removed"
                   : report.effective_policy.dry_run ? ", dry run: nothing is removed"
                                                     : ""));
  if (!view.runs.empty()) lines.push_back("Runs      " + view.runs);
  if (report.refused) {
    lines.push_back("Error     " + CannotRead(report.refused->source) + ": " +
                    report.refused->error.what);
    lines.emplace_back("No image is removed while this error persists.");
  } else {
    lines.push_back(DiskLine(report));
    lines.emplace_back();
    const std::string states = States(report);
    for (std::size_t at = 0; at < states.size();) {
      const auto end = states.find('\n', at);
      lines.push_back(states.substr(at, end - at));
      at = end + 1;
    }
  }
  lines.emplace_back();
  const std::size_t room = height > lines.size() ? height - lines.size() : 0;
  const std::size_t first = view.events.size() > room ? view.events.size() - room : 0;
  lines.insert(lines.end(), view.events.begin() + static_cast<std::ptrdiff_t>(first),
               view.events.end());
  std::string screen;
  for (std::size_t at = 0; at < std::min(lines.size(), height); ++at)
    screen += Printable(lines[at]).substr(0, width) + "\n";
  return screen;
}

}  // namespace imagesweep
