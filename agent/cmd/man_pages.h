#pragma once

#include <string>
#include <vector>

#include "agent/cmd/command_tree.h"

namespace imagesweep {

struct ManPage {
  std::string name;  // "imagesweep-policy-validate"
  std::string text;  // roff, for section 1
};

// A manual page of the program and of each command, made of the same texts as --help.
std::vector<ManPage> ManPages(const CommandInfo& program, const std::string& version);

}  // namespace imagesweep
