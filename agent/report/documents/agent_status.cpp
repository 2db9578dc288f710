#include "agent/report/documents/agent_status.h"

#include <algorithm>
#include <cstdio>
#include <string_view>
#include <utility>

#include "agent/base/duration.h"
#include "agent/base/quantity.h"
#include "agent/report/documents/document.h"
#include "agent/report/render/printable.h"

namespace imagesweep {
namespace {

using Json = nlohmann::ordered_json;
using document::At;
using document::Flag;
using document::Text;

constexpr std::size_t kIndent = 12;  // column of the values

Json TimeOrNull(const std::optional<SystemTime>& time) {
  return time ? Json(FormatTime(*time)) : Json();
}

Json RunJson(const AgentStatus::Run& run) {
  Json json{{"run", run.run},
            {"startedAt", FormatTime(run.started)},
            {"finishedAt", FormatTime(run.finished)},
            {"dryRun", run.dry_run},
            {"result", run.result},
            {"headline", run.headline},
            {"removed", run.removed},
            {"sizeBytes", run.bytes},
            {"refused", nullptr}};
  if (!run.refused_by.empty())
    json["refused"] = {{"source", run.refused_by}, {"message", run.refused_text}};
  return json;
}

// Reads a time in the format of FormatTime.
std::optional<SystemTime> ReadTime(const document::Json& json, const char* key) {
  int year = 0;
  unsigned month = 0, day = 0, hours = 0, minutes = 0, seconds = 0, millis = 0;
  const std::string text = Text(json, key);
  if (std::sscanf(text.c_str(), "%4d-%2u-%2uT%2u:%2u:%2u.%3u", &year, &month, &day, &hours,
                  &minutes, &seconds, &millis) != 7)
    return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(month),
                                         std::chrono::day(day)};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date) + std::chrono::hours(hours) + std::chrono::minutes(minutes) +
         std::chrono::seconds(seconds) + Millis(millis);
}

std::uint64_t ReadCount(const document::Json& json, const char* key) {
  const document::Json& value = At(json, key);
  return value.is_number_unsigned() ? value.get<std::uint64_t>() : 0;
}

AgentStatus::Run ReadRun(const document::Json& json) {
  AgentStatus::Run run;
  run.run = Text(json, "run");
  run.started = ReadTime(json, "startedAt").value_or(SystemTime());
  run.finished = ReadTime(json, "finishedAt").value_or(SystemTime());
  run.dry_run = Flag(json, "dryRun");
  run.result = Text(json, "result");
  run.headline = Text(json, "headline");
  run.removed = ReadCount(json, "removed");
  run.bytes = ReadCount(json, "sizeBytes");
  run.refused_by = Text(At(json, "refused"), "source");
  run.refused_text = Text(At(json, "refused"), "message");
  return run;
}

std::string Trimmed(std::string_view line) {
  const auto begin = line.find_first_not_of(" \t\r");
  if (begin == std::string_view::npos) return {};
  return Printable(line.substr(begin, line.find_last_not_of(" \t\r") - begin + 1));
}

// The lines of a text without control characters, separated by `between`.
std::string Joined(std::string_view text, const std::string& between) {
  std::string joined;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    if (const std::string line = Trimmed(text.substr(0, end)); !line.empty())
      joined += (joined.empty() ? "" : between) + line;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return joined;
}

void AddRow(const char* label, std::string_view value, std::string& text) {
  const std::string lines = Joined(value, "\n" + std::string(kIndent, ' '));
  if (lines.empty()) return;
  const std::string head = std::string(label) + ":";
  text += head + std::string(kIndent - std::min(kIndent - 1, head.size()), ' ') + lines + "\n";
}

std::string Relative(SystemTime at, SystemTime now) {
  const auto ago = std::chrono::duration_cast<Millis>(now - at);
  return ago < Millis::zero() ? "in " + HumanDuration(-ago) : HumanDuration(ago) + " ago";
}

std::string When(SystemTime at, SystemTime now) {
  return FormatTime(at) + " (" + Relative(at, now) + ")";
}

std::string Images(std::size_t count, std::uint64_t bytes) {
  return document::Count(count, "image") + " (" + HumanBytes(bytes) + ")";
}

const AgentStatus::Check* CheckOf(const AgentStatus& status, std::string_view name) {
  const auto found = std::ranges::find(status.checks, name, &AgentStatus::Check::name);
  return found == status.checks.end() ? nullptr : &*found;
}

std::string Answer(const AgentStatus& status) {
  if (!status.well()) return "Unhealthy: " + Joined(status.problems.front(), "; ");
  if (!status.last_run) return "Healthy";
  const AgentStatus::Run& run = *status.last_run;
  const std::string when = "Healthy: last run " + Relative(run.finished, status.observed);
  if (run.removed == 0)
    return when + (run.dry_run ? " found nothing to remove (dry run)" : " removed nothing");
  const std::string images = Images(run.removed, run.bytes);
  return when + (run.dry_run ? " would remove " + images + " (dry run)" : " removed " + images);
}

std::string NextRun(const AgentStatus& status) {
  if (status.running) return "in progress";
  if (status.next_run) return When(*status.next_run, status.observed);
  return "not scheduled: the agent waits for the runtime and for a policy";
}

std::string Mode(const AgentStatus& status) {
  if (status.suspend) return "suspended (suspend: true in the policy): removes nothing";
  if (!status.dry_run) return "removes images";
  return std::string("dry run (") +
         (status.dry_run_forced ? "--dry-run of the agent" : "dryRun: true in the policy") +
         "): removes nothing";
}

std::string Policy(const AgentStatus& status) {
  if (!status.policy) return "no policy in force: removes nothing";
  const AgentStatus::PolicyInForce& policy = *status.policy;
  return policy.source + " (sha256 " + policy.sha256 + "), profile " + policy.profile +
         (policy.matched_override.empty() ? "" : ", override for " + policy.matched_override);
}

void AddDetails(const AgentStatus& status, std::string& text) {
  if (status.last_run) {
    const AgentStatus::Run& run = *status.last_run;
    AddRow("Last run",
           When(run.finished, status.observed) + ", " + run.result + ", " + run.run + "\n" +
               run.headline,
           text);
  } else {
    AddRow("Last run", "none yet", text);
  }
  AddRow("Next run", NextRun(status), text);
  for (const AgentStatus::Waiting& waiting : status.waiting)
    AddRow("Deferred", Images(waiting.images, waiting.bytes) + ": " + waiting.waits_for, text);
  if (status.policy) AddRow("Mode", Mode(status), text);
  AddRow("Policy", Policy(status), text);
  AddRow("Rejected", status.policy_problem, text);
  if (const auto* runtime = CheckOf(status, "runtime"); runtime != nullptr && runtime->ok)
    AddRow("Runtime", runtime->text, text);
  AddRow("Node", status.node + ", imagesweep " + status.version, text);
}

}  // namespace

std::string AgentStatusJson(const AgentStatus& status) {
  Json checks = Json::array(), waiting = Json::array();
  for (const AgentStatus::Check& check : status.checks)
    checks.push_back({{"name", check.name}, {"ok", check.ok}, {"text", check.text}});
  for (const AgentStatus::Waiting& group : status.waiting)
    waiting.push_back({{"code", group.code},
                       {"waitsFor", group.waits_for},
                       {"images", group.images},
                       {"sizeBytes", group.bytes}});
  Json policy;
  if (status.policy)
    policy = {{"source", status.policy->source},
              {"sha256", status.policy->sha256},
              {"profile", status.policy->profile},
              {"overrideFor", status.policy->matched_override}};
  return Json({{"apiVersion", "imagesweep/v1alpha1"},
               {"kind", "AgentStatus"},
               {"node", status.node},
               {"version", status.version},
               {"observedAt", FormatTime(status.observed)},
               {"well", status.well()},
               {"problems", status.problems},
               {"checks", checks},
               {"lastRun", status.last_run ? RunJson(*status.last_run) : Json()},
               {"runInProgress", status.running},
               {"nextRunAt", TimeOrNull(status.next_run)},
               {"deferred", waiting},
               {"dryRun", status.dry_run},
               {"dryRunForced", status.dry_run_forced},
               {"suspend", status.suspend},
               {"policy", policy},
               {"policyProblem", status.policy_problem},
               {"incomplete", status.incomplete}})
      .dump(2, ' ', false, Json::error_handler_t::replace);
}

Result<AgentStatus> ParseAgentStatus(const std::string& json) {
  const auto document = document::Json::parse(json, nullptr, /*allow_exceptions=*/false);
  const auto observed = ReadTime(document, "observedAt");
  if (Text(document, "kind") != "AgentStatus" || !observed || !At(document, "problems").is_array())
    return Error{ErrorKind::kIncomplete, "the answer is not a document of kind AgentStatus"};
  AgentStatus status;
  status.node = Text(document, "node");
  status.version = Text(document, "version");
  status.observed = *observed;
  status.problems = document::Texts(At(document, "problems"));
  for (const auto& check : At(document, "checks"))
    status.checks.push_back({Text(check, "name"), Flag(check, "ok"), Text(check, "text")});
  if (At(document, "lastRun").is_object()) status.last_run = ReadRun(At(document, "lastRun"));
  status.running = Flag(document, "runInProgress");
  status.next_run = ReadTime(document, "nextRunAt");
  for (const auto& group : At(document, "deferred"))
    status.waiting.push_back({Text(group, "code"), Text(group, "waitsFor"),
                              ReadCount(group, "images"), ReadCount(group, "sizeBytes")});
  status.dry_run = Flag(document, "dryRun");
  status.dry_run_forced = Flag(document, "dryRunForced");
  status.suspend = Flag(document, "suspend");
  if (const auto& policy = At(document, "policy"); policy.is_object())
    status.policy = {Text(policy, "source"), Text(policy, "sha256"), Text(policy, "profile"),
                     Text(policy, "overrideFor")};
  status.policy_problem = Text(document, "policyProblem");
  status.incomplete = Text(document, "incomplete");
  return status;
}

std::string AgentStatusText(const AgentStatus& status) {
  std::string text = Answer(status) + "\n\n";
  for (std::size_t i = 1; i < status.problems.size(); ++i)
    AddRow("Problem", status.problems[i], text);
  if (status.incomplete.empty()) {
    AddDetails(status, text);
    return text;
  }
  for (const auto& [name, label] : {std::pair{"last-run", "Last run"},
                                    std::pair{"policy", "Policy"}, std::pair{"runtime", "Runtime"}})
    if (const auto* check = CheckOf(status, name); check != nullptr)
      AddRow(label, check->text, text);
  AddRow("Details", status.incomplete, text);
  return text;
}

}  // namespace imagesweep
