#pragma once

#include <string>

#include "agent/cli/command_tree.h"

namespace imagesweep {

// Scripts that make a shell complete the commands and flags of `program`, and the values of flags
// that take one of a few.
std::string BashCompletion(const CommandInfo& program);
std::string ZshCompletion(const CommandInfo& program);
std::string FishCompletion(const CommandInfo& program);

}  // namespace imagesweep
