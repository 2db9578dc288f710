#pragma once

#include <stop_token>
#include <string>

#include "agent/base/result.h"
#include "agent/registry/http_client.h"
#include "agent/report/documents/agent_status.h"

namespace imagesweep {

// The HTTP address of an agent.
struct AgentAddress {
  std::string url;          // "http://127.0.0.1:8080"
  std::string host_header;  // "[::1]:8080"; empty: the host of the URL
  std::string shown;        // "127.0.0.1:8080"
};

// Reads HOST:PORT, [HOST]:PORT, or :PORT, also with the prefix http://.  A missing host and the
// unspecified addresses become the loopback address.  kInvalid for other formats.
Result<AgentAddress> ParseAgentAddress(const std::string& text);

// Requests /api/v1/status.  If the agent does not serve it (--status-page=off or an older version),
// requests /readyz?verbose and /healthz instead and sets `incomplete`.  Errors contain a fix.  Any
// thread.
Result<AgentStatus> ReadAgentStatus(registry::HttpClient& client, const AgentAddress& address,
                                    SystemTime now, const std::stop_token& stop);

}  // namespace imagesweep
