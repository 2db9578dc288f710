#pragma once

#include <CLI/CLI.hpp>

#include <functional>
#include <stop_token>

namespace imagesweep {

// Adds the hidden command that writes the manual pages, made of all that `app` has when it is
// parsed.  Both must outlive the parsing.
void AddMan(CLI::App& app, std::function<int(const std::stop_token&)>& run);

}  // namespace imagesweep
