#pragma once

#include <CLI/CLI.hpp>

#include <string>
#include <vector>

namespace imagesweep {

// The commands and flags of the parser, for completion scripts and manual pages.

struct FlagInfo {
  std::vector<std::string> names;  // "-o", "--output"; the name of a positional argument
  std::string help;
  std::string value;                 // "FORMAT"; empty: the flag has no value
  std::vector<std::string> choices;  // the allowed values; empty: any value
  std::string environment;           // variable; empty: none
};

struct CommandInfo {
  std::string name;                  // "validate"
  std::string path;                  // "policy validate"; empty: the program itself
  std::vector<std::string> aliases;  // "prune" of "sweep"
  std::string help;
  std::string footer;
  std::vector<FlagInfo> arguments, flags;
  std::vector<FlagInfo> shared_flags;  // the flags of the program that the command supports
  std::vector<CommandInfo> commands;
};

// Describes the commands and flags of the program, except hidden ones.
CommandInfo DescribeCommands(const CLI::App& app);

// `command` and all its subcommands, parents first.
std::vector<const CommandInfo*> AllCommands(const CommandInfo& command);

// The first sentence of a help text, without the period.
std::string FirstSentence(const std::string& help);

}  // namespace imagesweep
