#pragma once

#include <functional>
#include <span>
#include <stop_token>
#include <variant>

#include "agent/cmd/options.h"

namespace imagesweep {

// A parsed command with its options.
struct Invocation {
  std::function<int(const std::stop_token&)> run;
};

// The exit code if there is nothing to run: help was printed, or the usage is wrong.
std::variant<Invocation, ExitCode> ParseCommandLine(int argc, const char* const* argv);

}  // namespace imagesweep
