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

TextOptions TextOptionsOf(const Options& options);

// A refused run in words: what cannot be trusted, and that nothing was done.
std::string RefusalText(const Refusal& refusal);

}  // namespace imagesweep
