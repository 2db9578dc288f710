#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "agent/base/duration.h"
#include "agent/cmd/commands.h"
#include "agent/cmd/node_session.h"
#include "agent/cmd/render.h"
#include "agent/report/documents/changes.h"
#include "agent/report/documents/watch_screen.h"
#include "agent/state/history.h"

// watch: observes the node repeatedly and shows the changes.  Removes nothing.

namespace imagesweep {
namespace {

constexpr std::size_t kMostEvents = 500;

// Shows the alternate screen and restores the terminal in the destructor.
class Screen {
 public:
  Screen() { PrintResult("\x1b[?1049h\x1b[?25l"); }
  ~Screen() { PrintResult("\x1b[?25h\x1b[?1049l"); }
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  bool Show(const WatchView& view) const {
    winsize size{};
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) size = {24, 80, 0, 0};
    std::string text = "\x1b[H";
    for (const char c : WatchScreen(view, size.ws_col, size.ws_row - 1U))
      text += c == '\n' ? std::string("\x1b[K\n") : std::string(1, c);
    return PrintResult(text + "\x1b[J");
  }
};

// "last 3m ago: removed 4 images"
std::string RunsLine(const Options& options, const Clock& clock) {
  const auto runs = History::Open(options.state_dir, clock)->Runs();
  if (!runs) return "not known: " + runs.error().what;
  if (runs->empty()) return {};
  const RunEntry& last = runs->front();
  const auto ago = std::chrono::duration_cast<Millis>(clock.Now() - last.finished);
  return "last " + HumanDuration(std::max(ago, Millis(0))) + " ago: " + last.headline;
}

}  // namespace

int RunWatch(const Options& options, const std::stop_token& stop) {
  const RealClock clock;
  auto session = NodeSession::Open(options, stop);
  if (!session) {
    PrintError(session.error().what);
    return session.error().kind == ErrorKind::kInvalid ? kExitUsage : kExitFailed;
  }
  std::optional<Screen> screen;
  ChangeLog log;
  std::vector<std::string> events;
  do {
    // Read the policy each time, so that edits apply.
    const auto active = session->ReadPolicy(stop);
    if (!active) {
      screen.reset();
      PrintError(active.error().what);
      return active.error().kind == ErrorKind::kInvalid ? kExitUsage : kExitFailed;
    }
    const Report report = session->sweeper().Evaluate(*active, stop);
    if (stop.stop_requested()) break;
    if (!screen && isatty(STDOUT_FILENO) != 0) screen.emplace();
    const bool first = !log.seen() && !report.refused;
    for (const Change& change : log.Look(report)) {
      events.push_back(ChangeLine(change, report.finished));
      if (!screen && !PrintResult(events.back() + "\n")) return kExitFailed;
    }
    if (events.size() > kMostEvents)
      events.erase(events.begin(), events.end() - static_cast<std::ptrdiff_t>(kMostEvents));
    if (screen && !screen->Show({report, events, RunsLine(options, clock)})) return kExitFailed;
    if (!screen && first &&
        !PrintResult("Watching " + std::to_string(report.observation.images.size()) +
                     " images of node " + report.node +
                     (options.without_kubernetes ? ", without Kubernetes" : "") + "\n"))
      return kExitFailed;
  } while (clock.Sleep(options.watch_every, stop));
  return kExitDone;
}

}  // namespace imagesweep
