#pragma once

#include <CLI/CLI.hpp>

#include <functional>
#include <stop_token>

namespace imagesweep {

// Adds the command that prints a completion script, made of all that `app` has when it is parsed.
// Both must outlive the parsing.
void AddCompletion(CLI::App& app, std::function<int(const std::stop_token&)>& run);

}  // namespace imagesweep
