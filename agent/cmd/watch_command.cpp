#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <memory>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include "agent/base/duration.h"
#include "agent/base/guarded.h"
#include "agent/cmd/agent_client.h"
#include "agent/cmd/commands.h"
#include "agent/cmd/key_parser.h"
#include "agent/cmd/node_session.h"
#include "agent/cmd/render.h"
#include "agent/cmd/terminal.h"
#include "agent/report/documents/changes.h"
#include "agent/report/documents/watch_screen.h"
#include "agent/state/history.h"

// watch: observes the node repeatedly and shows the changes.  Removes nothing.

namespace imagesweep {
namespace {

constexpr std::size_t kMaxEvents = 500;

// "last 3m ago: removed 4 images"
std::string RunsLine(const Options& options, const Clock& clock) {
  const auto runs = History::Open(options.state_dir, clock)->Runs();
  if (!runs) return "not known: " + runs.error().what;
  if (runs->empty()) return {};
  const RunEntry& last = runs->front();
  const auto ago = std::chrono::duration_cast<Millis>(clock.Now() - last.finished);
  return "last " + HumanDuration(std::max(ago, Millis(0))) + " ago: " + last.headline;
}

// Asks the running agent for its next run.  One thread.
class NextRun {
 public:
  NextRun(AgentAddress address, const Clock& clock)
      : address_(std::move(address)), clock_(clock), client_(registry::MakeHttpClient()) {}

  // NextRunText.  Empty also if no agent answers, or the agent of another node.
  std::string Read(const std::string& node, const std::stop_token& stop) {
    if (clock_.Steady() < not_before_) return {};
    const auto status = ReadAgentStatus(*client_, address_, clock_.Now(), stop);
    // An agent that does not answer must not delay each observation by a timeout.
    if (!status) not_before_ = clock_.Steady() + std::chrono::seconds(30);
    return status && status->node == node ? NextRunText(*status, clock_.Now()) : std::string();
  }

 private:
  const AgentAddress address_;
  const Clock& clock_;
  std::unique_ptr<registry::HttpClient> client_;
  SteadyTime not_before_{};
};

// Why the observation of the node ended.
struct End {
  std::string error;  // empty: on a stop request
  int code = kExitDone;
};

// Observes the node until a stop request.  `show` gets each report with its changes as lines, and
// returns false to end with kExitFailed.
template <typename Show>
End Observe(NodeSession& session, const Options& options, const Clock& clock,
            const std::stop_token& stop, Show&& show) {
  ChangeLog log;
  do {
    // Read the policy each time, so that edits apply.
    const auto active = session.ReadPolicy(stop);
    if (stop.stop_requested()) break;
    if (!active)
      return {active.error().what,
              active.error().kind == ErrorKind::kInvalid ? kExitUsage : kExitFailed};
    const auto report = std::make_shared<const Report>(session.sweeper().Evaluate(*active, stop));
    if (stop.stop_requested()) break;
    const bool first = !log.seen() && !report->refused;
    std::vector<std::string> lines;
    for (const Change& change : log.Add(*report))
      lines.push_back(ChangeLine(change, report->finished));
    if (!show(report, std::move(lines), first)) return {{}, kExitFailed};
  } while (clock.Sleep(options.watch_every, stop));
  return {};
}

int EndWith(const End& end) {
  if (!end.error.empty()) PrintError(end.error);
  return end.code;
}

int PrintLines(NodeSession& session, const Options& options, const std::stop_token& stop) {
  const RealClock clock;
  return EndWith(Observe(
      session, options, clock, stop,
      [&](const std::shared_ptr<const Report>& report, const std::vector<std::string>& lines,
          bool first) {
        for (const std::string& line : lines)
          if (!PrintResult(line + "\n")) return false;
        return !first ||
               PrintResult("Watching " + std::to_string(report->observation.images.size()) +
                           " images of node " + report->node +
                           (options.without_kubernetes ? ", without Kubernetes" : "") + "\n");
      }));
}

// Wakes the thread that waits in poll.  Any thread, and signal handlers.
class WakeupFd {
 public:
  WakeupFd() : fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}
  ~WakeupFd() { close(fd_); }
  WakeupFd(const WakeupFd&) = delete;
  WakeupFd& operator=(const WakeupFd&) = delete;

  int fd() const { return fd_; }
  void Notify() const { eventfd_write(fd_, 1); }
  void Clear() const {
    eventfd_t count = 0;
    eventfd_read(fd_, &count);
  }

 private:
  const int fd_;
};

// Shows the node on a terminal.  One thread observes, which can take long, so that this one answers
// keys at once.
class Screen {
 public:
  Screen(NodeSession& session, const Options& options, std::optional<AgentAddress> agent)
      : session_(session), options_(options) {
    if (agent) next_run_.emplace(*std::move(agent), clock_);
  }

  int Run(const std::stop_token& stop) {
    if (wakeup_.fd() < 0) {
      PrintError(std::string("cannot create an eventfd: ") +
                 std::generic_category().message(errno) +
                 "; check the limit of open files (ulimit -n)");
      return kExitFailed;
    }
    std::jthread observer([this](const std::stop_token& quit) {
      End end = Observe(session_, options_, clock_, quit,
                        [&](const std::shared_ptr<const Report>& report,
                            std::vector<std::string> lines, bool /*first*/) {
                          Publish(report, std::move(lines), quit);
                          return true;
                        });
      latest_.With([&](Latest& latest) { latest.end = std::move(end); });
      wakeup_.Notify();
    });
    const std::stop_callback forward(stop, [&] {
      observer.request_stop();
      wakeup_.Notify();
    });
    return AnswerKeys(stop);
  }

 private:
  struct Latest {
    std::shared_ptr<const Report> report;
    std::vector<std::string> events;
    std::string runs, next_run;
    std::optional<End> end;
  };

  void Publish(const std::shared_ptr<const Report>& report, std::vector<std::string> lines,
               const std::stop_token& stop) {
    std::string runs = RunsLine(options_, clock_);
    latest_.With([&](Latest& latest) {
      auto& events = latest.events;
      events.insert(events.end(), lines.begin(), lines.end());
      if (events.size() > kMaxEvents)
        events.erase(events.begin(), events.end() - static_cast<std::ptrdiff_t>(kMaxEvents));
      latest.report = report;
      latest.runs = std::move(runs);
    });
    wakeup_.Notify();
    if (!next_run_) return;
    std::string next_run = next_run_->Read(report->node, stop);
    latest_.With([&](Latest& latest) { latest.next_run = std::move(next_run); });
    wakeup_.Notify();
  }

  int AnswerKeys(const std::stop_token& stop) {
    const bool foreground = tcgetpgrp(STDIN_FILENO) == getpgrp();
    bool reads_keys = foreground && isatty(STDIN_FILENO) != 0;
    KeyParser parser;
    WatchControls controls;
    std::optional<Terminal> terminal;
    while (true) {
      pollfd events[] = {{wakeup_.fd(), POLLIN, 0},
                         {terminal && reads_keys ? STDIN_FILENO : -1, POLLIN, 0}};
      const int ready = poll(events, 2, parser.waits() ? kEscapeDelayMillis : -1);
      if (ready < 0 && errno != EINTR) return kExitFailed;
      wakeup_.Clear();
      if (stop.stop_requested()) return kExitDone;
      std::vector<Key> keys;
      if (ready == 0) keys = parser.Timeout();
      if (ready > 0 && events[1].revents != 0) {
        const std::string bytes = terminal->Read();
        if (bytes.empty()) reads_keys = false;
        keys = parser.Parse(bytes);
      }
      for (const Key& key : keys) {
        if (key.kind == Key::Kind::kSuspend) terminal->Suspend();
        controls = Apply(std::move(controls), key);
        if (controls.quit) return kExitDone;
      }
      const Latest latest = latest_.With([](const Latest& now) { return now; });
      if (latest.end) {
        terminal.reset();
        return EndWith(*latest.end);
      }
      if (!latest.report) continue;
      if (!terminal) terminal.emplace(reads_keys ? STDIN_FILENO : -1, STDOUT_FILENO, wakeup_.fd());
      const TerminalSize size = terminal->Size();
      WatchView view{*latest.report, latest.events, latest.runs, latest.next_run, {}};
      if (reads_keys) view.controls = controls;
      if (!terminal->Show(WatchScreen(view, size.width, size.height))) return kExitFailed;
    }
  }

  NodeSession& session_;
  const Options& options_;
  const RealClock clock_;
  std::optional<NextRun> next_run_;
  const WakeupFd wakeup_;
  Guarded<Latest> latest_;
};

}  // namespace

int RunWatch(const Options& options, const std::stop_token& stop) {
  std::optional<AgentAddress> agent;
  if (!options.listen_address.empty()) {
    auto address = ParseAgentAddress(options.listen_address);
    if (!address) {
      PrintError(address.error().what);
      return kExitUsage;
    }
    agent = *std::move(address);
  }
  auto session = NodeSession::Open(options, stop);
  if (!session) {
    PrintError(session.error().what);
    return session.error().kind == ErrorKind::kInvalid ? kExitUsage : kExitFailed;
  }
  if (isatty(STDOUT_FILENO) == 0) return PrintLines(*session, options, stop);
  return Screen(*session, options, std::move(agent)).Run(stop);
}

}  // namespace imagesweep
