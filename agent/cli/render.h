#pragma once

#include <string>

#include "agent/cli/options.h"
#include "agent/model/report.h"
#include "agent/report/text.h"

namespace imagesweep {

// Prints text on stdout and says whether all of it went out (a full disk, a closed pipe).
bool PrintResult(const std::string& text);

// "imagesweep: …" on stderr.
void PrintError(const std::string& what);

// kExitUsage for what its writer has to put right, kExitFailed for what could not be had.
ExitCode CodeFor(const Error& error);

TextOptions TextOptionsOf(const Options& options);

// On stderr, where the result has rows alone and no place for them.
void PrintWarnings(const Options& options, const Report& report);

// A refused run in words: what cannot be trusted, and that nothing was done.
std::string RefusalText(const Refusal& refusal);
// The same for a command that only looks, and would not have removed anything.
std::string BlindText(const Refusal& refusal);

}  // namespace imagesweep
