#pragma once

#include <cstddef>
#include <string>

#include "agent/cmd/options.h"
#include "agent/model/report.h"
#include "agent/report/documents/text.h"
#include "agent/report/render/page.h"

namespace imagesweep {

// Prints text to stdout.  False if not all was written, for example on a full disk.
bool PrintResult(const std::string& text);

// Prints the text or the error, and returns the exit code.
ExitCode PrintOutcome(const Result<std::string>& out);

// "imagesweep: …" on stderr.
void PrintError(const std::string& what);

// kExitUsage for input that the user must correct, kExitFailed for other errors.
ExitCode CodeFor(const Error& error);

// The width that tables must fit: `columns` (COLUMNS of the environment) if it is a number, else
// that of the terminal `fd`.  0: no limit, because the output is no terminal.
std::size_t OutputWidth(int fd, const std::string& columns);

TextOptions TextOptionsOf(const Options& options);
// A page as Markdown or for the terminal.
std::string PageText(const Options& options, const Page& page);

// Prints warnings to stderr if the result has only rows.
void PrintWarnings(const Options& options, const Report& report);

// The error of an aborted run.
std::string RefusalText(const Refusal& refusal);
// The same for a command that removes nothing.
std::string ReadOnlyRefusalText(const Refusal& refusal);

}  // namespace imagesweep
