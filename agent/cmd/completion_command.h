#pragma once

#include <CLI/CLI.hpp>

#include <functional>
#include <stop_token>

namespace imagesweep {

// Adds the command that prints a completion script with all commands that `app` has when it parses.
// `app` and `run` must outlive the parsing.
void AddCompletion(CLI::App& app, std::function<int(const std::stop_token&)>& run);

}  // namespace imagesweep
