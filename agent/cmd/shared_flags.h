#pragma once

#include <CLI/CLI.hpp>

#include <string>

#include "agent/cmd/options.h"
#include "agent/cmd/usage.h"

namespace imagesweep {

// Adds the flags that all commands share: sources, output, and identity of the pod.
void AddSharedFlags(CLI::App& app, Options& options);

// Adds --minimum-age to a command that evaluates a policy.
void AddMinimumAge(CLI::App& command, Options& options);

// Whether a command supports a flag of AddSharedFlags.  `command`: the first word of its path;
// `flag`: the long name without dashes.
bool ReadsSharedFlag(const std::string& command, const std::string& flag);

// The error of a command line that the parser accepts: conflicting flags, or flags that the command
// does not support.  Empty: valid.  If two policies are set, keeps the one from the command line in
// `options`.
std::string ValidateFlags(const CLI::App& app, const GivenArguments& given, Options& options);

// The error of a text that is not a duration above 0 in the format of the policy; empty: valid.
std::string CheckDuration(const std::string& text);

}  // namespace imagesweep
