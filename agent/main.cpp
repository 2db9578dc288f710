#include <variant>

#include "agent/base/signals.h"
#include "agent/cmd/command_line.h"
#include "agent/kube/client/http_transport.h"

int main(int argc, char** argv) {
  using namespace imagesweep;
  const std::stop_source stop;
  const SignalWaiter signals(stop);  // before any other thread exists
  kube::InitHttp(/*threads=*/2);     // before the first request, or it starts forty

  auto invocation = ParseCommandLine(argc, argv);
  if (const auto* code = std::get_if<ExitCode>(&invocation)) return *code;
  return std::get<Invocation>(invocation).run(stop.get_token());
}
