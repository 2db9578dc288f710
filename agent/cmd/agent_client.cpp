#include "agent/cmd/agent_client.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

namespace imagesweep {
namespace {

constexpr Millis kTimeout = std::chrono::seconds(5);

Error NotAnAgent(const AgentAddress& address, const std::string& why) {
  return {ErrorKind::kIncomplete, address.shown + " is not an imagesweep agent: " + why +
                                      "; set --address to the --listen-address of the agent"};
}

Result<registry::HttpReply> Get(registry::HttpClient& client, const AgentAddress& address,
                                const std::string& path, const std::stop_token& stop) {
  registry::HttpRequest request{"GET", address.url + path, {}};
  if (!address.host_header.empty()) request.headers.emplace_back("Host", address.host_header);
  auto reply = client.Send(request, kTimeout, stop);
  if (reply) return reply;
  return Error{reply.error().kind,
               "cannot reach the agent at " + address.shown + ": " + reply.error().what +
                   "; check that the agent runs on this node, and set --address to its "
                   "--listen-address"};
}

// Reads a line of Health::Ready, such as "[+]runtime ok: containerd 1.6.20 at …".
std::optional<AgentStatus::Check> ReadCheck(std::string_view line) {
  const bool ok = line.starts_with("[+]");
  if (!ok && !line.starts_with("[-]")) return std::nullopt;
  line.remove_prefix(3);
  const std::string_view verdict = ok ? " ok: " : " failed: ";
  const auto end = line.find(verdict);
  if (end == std::string_view::npos) return std::nullopt;
  return AgentStatus::Check{std::string(line.substr(0, end)), ok,
                            std::string(line.substr(end + verdict.size()))};
}

std::vector<AgentStatus::Check> ReadChecks(std::string_view body) {
  std::vector<AgentStatus::Check> checks;
  while (!body.empty()) {
    const auto end = std::min(body.find('\n'), body.size());
    if (auto check = ReadCheck(body.substr(0, end))) checks.push_back(*std::move(check));
    body.remove_prefix(std::min(end + 1, body.size()));
  }
  return checks;
}

Result<AgentStatus> ReadProbes(registry::HttpClient& client, const AgentAddress& address,
                               const std::string& incomplete, const std::stop_token& stop) {
  const auto ready = Get(client, address, "/readyz?verbose", stop);
  if (!ready) return ready.error();
  const auto live = Get(client, address, "/healthz", stop);
  if (!live) return live.error();
  AgentStatus status;
  status.incomplete = incomplete;
  status.checks = ReadChecks(ready->body);
  if (std::ranges::find(status.checks, "last-run", &AgentStatus::Check::name) ==
      status.checks.end())
    return NotAnAgent(address, "/readyz?verbose does not have the checks of an agent");
  if (live->status != 200) status.problems.push_back("liveness: " + live->body);
  for (const AgentStatus::Check& check : status.checks)
    if (!check.ok) status.problems.push_back(check.name + ": " + check.text);
  return status;
}

}  // namespace

Result<AgentAddress> ParseAgentAddress(const std::string& text) {
  std::string_view rest = text;
  if (rest.starts_with("http://")) rest.remove_prefix(std::string_view("http://").size());
  if (rest.ends_with('/')) rest.remove_suffix(1);
  const auto colon = rest.rfind(':');
  const std::string port(colon == std::string_view::npos ? "" : rest.substr(colon + 1));
  std::string host(rest.substr(0, std::min(colon, rest.size())));
  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  const bool valid = !port.empty() && port.size() <= 5 &&
                     port.find_first_not_of("0123456789") == std::string::npos &&
                     std::stoi(port) > 0 && std::stoi(port) <= 65535 &&
                     host.find_first_of("/@ ") == std::string::npos &&
                     (bracketed || host.find_first_of(":[]") == std::string::npos);
  if (!valid)
    return Error{ErrorKind::kInvalid, "invalid address \"" + text +
                                          "\" of the agent; use HOST:PORT, [HOST]:PORT, or :PORT, "
                                          "such as 127.0.0.1:8080"};
  if (host.empty() || host == "0.0.0.0" || host == "[::]") host = "127.0.0.1";
  AgentAddress address;
  address.shown = host + ":" + port;
  if (host.starts_with('[')) {
    // cpprestsdk resolves an IPv6 address only without its brackets (cpprestsdk#1163).
    address.host_header = address.shown;
    host = host.substr(1, host.size() - 2);
  }
  address.url = "http://" + host + ":" + port;
  return address;
}

Result<AgentStatus> ReadAgentStatus(registry::HttpClient& client, const AgentAddress& address,
                                    SystemTime now, const std::stop_token& stop) {
  const auto reply = Get(client, address, "/api/v1/status", stop);
  if (!reply) return reply.error();
  if (reply->status == 200) {
    auto status = ParseAgentStatus(reply->body);
    if (!status) return NotAnAgent(address, status.error().what);
    return status;
  }
  std::string why = "the agent answers /api/v1/status with HTTP " + std::to_string(reply->status);
  if (reply->status == 404)
    why =
        "the agent does not serve /api/v1/status: it runs with --status-page=off, or it is an "
        "older version";
  if (reply->status == 403)
    why = "the agent serves /api/v1/status only on loopback addresses; run the command in its pod";
  auto status = ReadProbes(client, address, why, stop);
  if (status) status->observed = now;
  return status;
}

}  // namespace imagesweep
