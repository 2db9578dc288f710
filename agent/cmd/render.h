#pragma once

#include <string>

#include "agent/cmd/options.h"
#include "agent/model/report.h"
#include "agent/report/documents/text.h"

namespace imagesweep {

// Prints text to stdout.  False if not all was written, for example on a full disk.
bool PrintResult(const std::string& text);

// "imagesweep: …" on stderr.
void PrintError(const std::string& what);

// kExitUsage for input that the user must correct, kExitFailed for other errors.
ExitCode CodeFor(const Error& error);

TextOptions TextOptionsOf(const Options& options);

// Prints warnings to stderr if the result has only rows.
void PrintWarnings(const Options& options, const Report& report);

// The error of an aborted run.
std::string RefusalText(const Refusal& refusal);
// The same for a command that removes nothing.
std::string BlindText(const Refusal& refusal);

}  // namespace imagesweep
