#pragma once

#include <CLI/CLI.hpp>

#include <functional>
#include <memory>
#include <stop_token>

#include "agent/cmd/command_flags.h"

namespace imagesweep {

// Adds all commands in the order of the help. Parsing sets `run` to the command that was given.
// `app`, `dry_run`, and `run` must outlive the parsing.
void AddCommands(CLI::App& app, const std::shared_ptr<Options>& options, DryRun& dry_run,
                 std::function<int(const std::stop_token&)>& run);

}  // namespace imagesweep
