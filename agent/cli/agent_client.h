#pragma once

#include <stop_token>
#include <string>

#include "agent/base/result.h"
#include "agent/registry/http_client.h"
#include "agent/report/agent_status.h"

namespace imagesweep {

// Where to reach an agent over HTTP.
struct AgentAddress {
  std::string url;          // "http://127.0.0.1:8080"
  std::string host_header;  // "[::1]:8080"; empty: as the URL has it
  std::string shown;        // "127.0.0.1:8080"
};

// Reads HOST:PORT, [HOST]:PORT, :PORT, or http:// in front of one of them.  No host, and the
// addresses that mean all of a host's, become loopback.  kInvalid for another form.
Result<AgentAddress> ParseAgentAddress(const std::string& text);

// The document of /api/v1/status.  An agent that serves none of it (--status-page=off, or a version
// before it) is asked for /readyz?verbose and /healthz instead, and the status says what it lacks.
// An error says what to do.  Any thread.
Result<AgentStatus> ReadAgentStatus(registry::HttpClient& client, const AgentAddress& address,
                                    SystemTime now, const std::stop_token& stop);

}  // namespace imagesweep
