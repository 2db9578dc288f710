#include "agent/cmd/agent_client.h"
#include "agent/cmd/commands.h"
#include "agent/cmd/render.h"
#include "agent/report/render/yaml.h"

// Prints the health of the agent of this node.

namespace imagesweep {

int RunStatus(const Options& options, const std::stop_token& stop) {
  const auto address = ParseAgentAddress(options.listen_address);
  if (!address) {
    PrintError(address.error().what);
    return kExitUsage;
  }
  const auto client = registry::MakeHttpClient();
  const auto status = ReadAgentStatus(*client, *address, RealClock().Now(), stop);
  if (!status) {
    PrintError(status.error().what);
    return kExitFailed;
  }
  std::string text;
  if (options.output == Output::kJson) {
    text = AgentStatusJson(*status) + "\n";
  } else if (options.output == Output::kYaml) {
    text = JsonToYaml(AgentStatusJson(*status)) + "\n";
  } else {
    text = AgentStatusText(*status);
  }
  return PrintResult(text) && status->well() ? kExitDone : kExitFailed;
}

}  // namespace imagesweep
