#pragma once

#include <functional>
#include <span>
#include <stop_token>
#include <variant>

#include "agent/cli/options.h"

namespace imagesweep {

// What was asked for: a command with its options, or an exit code when all is said already (help,
// usage error).
struct Invocation {
  std::function<int(const std::stop_token&)> run;
};

std::variant<Invocation, ExitCode> ParseCommandLine(int argc, const char* const* argv);

}  // namespace imagesweep
