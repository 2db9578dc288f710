#pragma once

#include <CLI/CLI.hpp>

#include <string>
#include <vector>

namespace imagesweep {

// The commands and flags as the parser knows them, for completion scripts and manual pages.

struct FlagInfo {
  std::vector<std::string> names;  // "-o", "--output"; of a positional argument its name alone
  std::string help;
  std::string value;                 // "FORMAT"; empty: the flag takes no value of its own
  std::vector<std::string> choices;  // the only values; empty: any
  std::string environment;           // variable; empty: none
};

struct CommandInfo {
  std::string name;                  // "validate"
  std::string path;                  // "policy validate"; empty: the program itself
  std::vector<std::string> aliases;  // "prune" of "sweep"
  std::string help;
  std::string footer;
  std::vector<FlagInfo> arguments, flags;
  std::vector<FlagInfo> shared_flags;  // of the program, those that the command reads
  std::vector<CommandInfo> commands;
};

// Without hidden commands and flags.
CommandInfo DescribeCommands(const CLI::App& app);

// `command` and all below it, parents first.
std::vector<const CommandInfo*> AllCommands(const CommandInfo& command);

// The first sentence of a help text, without its full stop.
std::string FirstSentence(const std::string& help);

}  // namespace imagesweep
