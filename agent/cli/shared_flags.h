#pragma once

#include <CLI/CLI.hpp>

#include <string>

#include "agent/cli/options.h"
#include "agent/cli/usage.h"

namespace imagesweep {

// The flags that all commands share: where to look, how to print, who this pod is.
void AddSharedFlags(CLI::App& app, Options& options);

// Of the commands that judge by a policy and may be asked to ignore how young images are.
void AddMinimumAge(CLI::App& command, Options& options);

// Whether `command` (the first word of its path) reads a flag of AddSharedFlags, by its long name.
bool ReadsSharedFlag(const std::string& command, const std::string& flag);

// Everything that the parser cannot know of a command line that it read: flags that contradict each
// other, or that the command does not read.  Empty: it is well.  Of two policies the one that was
// written on the command line is left in `options`.
std::string Contradiction(const CLI::App& app, const GivenArguments& given, Options& options);

// A duration above 0 as the policy writes it, or the complaint.
std::string CheckDuration(const std::string& text);

}  // namespace imagesweep
