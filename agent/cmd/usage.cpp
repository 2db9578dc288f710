#include "agent/cmd/usage.h"

#include <algorithm>

#include "agent/policy/validation_errors.h"

namespace imagesweep {

bool GivenArguments::Has(const CLI::Option& option) const {
  return std::ranges::any_of(words_, [&](const std::string& word) {
    const auto is_long = [&](const std::string& name) {
      return word == "--" + name || word.starts_with("--" + name + "=");
    };
    const auto is_short = [&](const std::string& name) { return word.starts_with("-" + name); };
    return std::ranges::any_of(option.get_lnames(), is_long) ||
           (!word.starts_with("--") && std::ranges::any_of(option.get_snames(), is_short));
  });
}

std::string GivenArguments::Before(const std::string& word) const {
  const auto found = std::ranges::find(words_, word);
  return found == words_.end() || found == words_.begin() ? std::string() : *(found - 1);
}

std::vector<std::string> GivenArguments::InOrder(std::vector<std::string> words) const {
  std::ranges::stable_sort(
      words, {}, [&](const std::string& word) { return std::ranges::find(words_, word); });
  return words;
}

std::string UnusedFlags(const CLI::App& app, const GivenArguments& given) {
  std::vector<std::string> flags;
  std::string command = app.get_name();
  const CLI::App* last = &app;
  while (true) {
    for (const CLI::Option* option : last->get_options([](const CLI::Option*) { return true; }))
      if (last != &app || !option->get_group().empty())
        std::ranges::copy(option->get_lnames(), std::back_inserter(flags));
    if (last->get_subcommands().empty()) break;
    last = last->get_subcommands().front();
    command += " " + last->get_name();
  }
  std::string text = "unexpected arguments:", meant;
  for (const std::string& word : given.InOrder(app.remaining(/*recurse=*/true))) {
    text += " " + word;
    if (!meant.empty() || !word.starts_with("--")) continue;
    if (const auto nearest = Nearest(word.substr(2, word.find('=') - 2), flags); !nearest.empty())
      meant = std::string("; did you mean --").append(nearest).append("?");
  }
  return text + meant + "\nRun `" + command + " --help` for usage" +
         (last == &app ? "" : " and `imagesweep --help` for the flags that all commands share");
}

std::string ExplainUsageError(const CLI::App& app, const GivenArguments& given) {
  const CLI::App* last = &app;
  while (!last->get_subcommands().empty()) last = last->get_subcommands().front();
  for (const std::string& word : app.remaining(/*recurse=*/true)) {
    if (word.starts_with('-')) continue;
    if (const std::string before = given.Before(word);
        (word == "true" || word == "false") && before.starts_with("--"))
      return std::string(before)
          .append(" requires its value after \"=\": ")
          .append(before)
          .append("=")
          .append(word);
    std::vector<std::string> commands;
    for (const CLI::App* command : last->get_subcommands([](const CLI::App*) { return true; }))
      commands.push_back(command->get_name());
    if (commands.empty()) return {};
    const std::string parent = last == &app ? "imagesweep" : "imagesweep " + last->get_name();
    const std::string nearest = Nearest(word, commands);
    return "unknown command " + Quoted(word) +
           (nearest.empty() ? "" : "; did you mean " + Quoted(nearest) + "?") + "\nRun `" + parent +
           " --help` for the list of commands";
  }
  return {};
}

std::string Unread(const std::vector<const CLI::Option*>& all, const std::vector<std::string>& read,
                   const std::string& command, const GivenArguments& given) {
  for (const CLI::Option* option : all) {
    const std::string& name = option->get_lnames().front();
    if (std::ranges::find(read, name) == read.end() && given.Has(*option))
      return std::string("--")
          .append(name)
          .append(" is not supported by `")
          .append(command)
          .append("`");
  }
  return {};
}

}  // namespace imagesweep
