#pragma once

#include <string>

#include "agent/cmd/command_tree.h"

namespace imagesweep {

// Completion scripts for the commands and flags of `program`, and for the values of flags that
// allow only some values.
std::string BashCompletion(const CommandInfo& program);
std::string ZshCompletion(const CommandInfo& program);
std::string FishCompletion(const CommandInfo& program);

}  // namespace imagesweep
