#include "agent/daemon/health.h"

#include "agent/report/documents/text.h"
#include "agent/report/render/printable.h"

namespace imagesweep {
namespace {

// Longer than the deadlines of all calls of one run together.
constexpr Millis kStuckAfter = std::chrono::minutes(15);

std::string Line(const Health::Check& check) {
  return std::string(check.ok ? "[+]" : "[-]") + check.name + (check.ok ? " ok" : " failed") +
         ": " + Printable(check.text) + "\n";
}

// All errors of a policy on one line.  `errors`: one per line.
std::string OnOneLine(const std::string& errors) {
  std::string line;
  for (const char c : errors) line += c == '\n' ? std::string("; ") : std::string(1, c);
  return line;
}

// The check of the policy in force, failed while the policy cannot be read.
Health::Check WithReadStatus(Health::Check policy, const std::string& unread) {
  if (unread.empty()) return policy;
  policy.ok = false;
  policy.text += "; " + unread;
  return policy;
}

}  // namespace

Health::Health(const Clock& clock) : clock_(clock) {
  Beat();
}

void Health::Beat() {
  state_.With([now = clock_.Steady()](ProbeState& state) {
    state.beat = now;
    return 0;
  });
}

void Health::SetRuntime(const RuntimeIdentity& identity, const std::optional<Error>& problem) {
  Check check{"runtime", !problem.has_value(),
              problem ? problem->what
                      : identity.name + " " + identity.version + " at " + identity.endpoint};
  state_.With([&](ProbeState& state) {
    state.runtime = std::move(check);
    return 0;
  });
}

void Health::SetPolicy(const std::optional<PolicySource>& effective_policy,
                       const std::string& problem) {
  Check check{"policy", effective_policy.has_value() && problem.empty(),
              "no policy loaded yet; nothing is removed"};
  if (effective_policy)
    check.text = effective_policy->description + " (sha256 " + effective_policy->sha256 + ")";
  if (!problem.empty())
    check.text += (effective_policy ? " stays in force; the last policy was rejected: " : ": ") +
                  OnOneLine(problem);
  state_.With([&](ProbeState& state) {
    state.policy = std::move(check);
    state.policy_in_force = effective_policy.has_value();
    return 0;
  });
}

void Health::SetPolicyUnread(const std::string& complaint) {
  state_.With([&](ProbeState& state) {
    state.policy_unread = complaint;
    return 0;
  });
}

void Health::SetLastRun(const Report& report) {
  Check check{"last-run", !report.refused.has_value(),
              FormatTime(report.finished) + " " + Summary(report)};
  // Contradictions name pods, and probes need no authentication.
  Check public_check = check;
  if (report.refused && report.refused->error.kind == ErrorKind::kIncomplete)
    public_check.text = FormatTime(report.finished) +
                        " Run aborted, nothing removed: " + CannotRead(report.refused->source) +
                        "; see the log for the reason";
  state_.With([&](ProbeState& state) {
    state.evidence = std::move(check);
    state.public_evidence = std::move(public_check);
    return 0;
  });
}

void Health::SetRunning() {
  state_.With([](ProbeState& state) {
    state.schedule = {true, std::nullopt};
    return 0;
  });
}

void Health::SetNextRun(SystemTime at) {
  state_.With([at](ProbeState& state) {
    state.schedule = {false, at};
    return 0;
  });
}

Health::Schedule Health::NextRun() const {
  return state_.With([](const ProbeState& state) { return state.schedule; });
}

std::vector<Health::Check> Health::Checks() const {
  return state_.With([](const ProbeState& state) {
    return std::vector<Check>{state.runtime, WithReadStatus(state.policy, state.policy_unread),
                              state.evidence};
  });
}

bool Health::Alive() const {
  return clock_.Steady() - state_.With([](const ProbeState& state) { return state.beat; }) <
         kStuckAfter;
}

HttpReply Health::Live() const {
  if (Alive()) return {200, "text/plain; charset=utf-8", "ok\n"};
  return {503, "text/plain; charset=utf-8",
          "the loop of the agent has made no progress for 15 minutes\n"};
}

HttpReply Health::Ready(const std::string& query) const {
  const ProbeState state = state_.With([](const ProbeState& s) { return s; });
  const bool ready = state.runtime.ok && state.policy_in_force;
  HttpReply reply{ready ? 200 : 503, "text/plain; charset=utf-8", {}};
  if (ready && query.find("verbose") == std::string::npos) {
    reply.body = "ok\n";
    return reply;
  }
  // The last run does not count toward readiness: it aborts while any source is unreachable.
  reply.body = Line(state.runtime) + Line(WithReadStatus(state.policy, state.policy_unread)) +
               Line(state.public_evidence) +
               (ready ? "readyz check passed\n" : "readyz check failed\n");
  return reply;
}

}  // namespace imagesweep
