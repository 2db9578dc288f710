#include "agent/cmd/command_tree.h"

#include <algorithm>
#include <utility>

#include "agent/cmd/shared_flags.h"

namespace imagesweep {
namespace {

// The values in a type of IsMember, such as "TEXT:{json,yaml}".
std::vector<std::string> ChoicesOf(const std::string& type) {
  const auto begin = type.find('{');
  if (begin == std::string::npos || !type.ends_with('}')) return {};
  return CLI::detail::split(type.substr(begin + 1, type.size() - begin - 2), ',');
}

// The first word, such as "FORMAT" of "FORMAT [table]".
std::string FirstWord(const std::string& text) {
  return text.substr(0, text.find(' '));
}

FlagInfo DescribeFlag(const CLI::Option& option) {
  FlagInfo flag;
  for (const std::string& name : option.get_snames()) flag.names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) flag.names.push_back("--" + name);
  if (flag.names.empty()) flag.names.push_back(option.get_name(/*positional=*/true));
  flag.help = option.get_description();
  flag.choices = ChoicesOf(option.get_type_name());
  flag.environment = option.get_envname();
  if (option.get_items_expected_max() == 0) return flag;
  flag.value = FirstWord(option.get_option_text());
  if (flag.value.empty())
    flag.value = option.get_type_name().substr(0, option.get_type_name().find(':'));
  if (flag.value.empty()) flag.value = "VALUE";
  return flag;
}

void AddOptions(const CLI::App& app, CommandInfo& command) {
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_group().empty()) continue;
    (option->get_positional() ? command.arguments : command.flags).push_back(DescribeFlag(*option));
  }
  for (const CLI::App* group : app.get_subcommands([](const CLI::App*) { return true; }))
    if (group->get_name().empty()) AddOptions(*group, command);
}

bool IsHelp(const FlagInfo& flag) {
  return flag.names.back() == "--help" || flag.names.back() == "--version";
}

CommandInfo Describe(const CLI::App& app, const std::string& parent,
                     const std::vector<FlagInfo>& program_flags) {
  CommandInfo command;
  command.name = app.get_name();
  command.path = parent + app.get_name();
  command.aliases = app.get_aliases();
  command.help = app.get_description();
  command.footer = app.get_footer();
  AddOptions(app, command);
  const std::string top = FirstWord(command.path);
  for (const FlagInfo& flag : program_flags)
    if (!IsHelp(flag) && ReadsSharedFlag(top, flag.names.back().substr(2)))
      command.shared_flags.push_back(flag);
  for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; }))
    if (!sub->get_name().empty() && !sub->get_group().empty())
      command.commands.push_back(Describe(*sub, command.path + " ", program_flags));
  return command;
}

}  // namespace

CommandInfo DescribeCommands(const CLI::App& app) {
  CommandInfo program;
  program.name = app.get_name();
  program.help = app.get_description();
  program.footer = app.get_footer();
  AddOptions(app, program);
  for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; }))
    if (!sub->get_name().empty() && !sub->get_group().empty())
      program.commands.push_back(Describe(*sub, "", program.flags));
  return program;
}

std::vector<const CommandInfo*> AllCommands(const CommandInfo& command) {
  std::vector<const CommandInfo*> all{&command};
  for (const CommandInfo& sub : command.commands)
    std::ranges::copy(AllCommands(sub), std::back_inserter(all));
  return all;
}

std::string FirstSentence(const std::string& help) {
  std::string text = help.substr(0, help.find('\n'));
  if (const auto end = text.find(". "); end != std::string::npos) text.resize(end);
  if (text.ends_with('.')) text.pop_back();
  return text;
}

}  // namespace imagesweep
