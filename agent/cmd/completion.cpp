#include "agent/cmd/completion.h"

#include <map>
#include <set>
#include <utility>
#include <vector>

namespace imagesweep {
namespace {

std::string Join(const std::vector<std::string>& words, const std::string& between) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : between) + word;
  return text;
}

// The text in single quotes.  `escaped` replaces each single quote in it.
std::string QuotedAs(const std::string& text, const std::string& escaped) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? escaped : std::string(1, c);
  return quoted + "'";
}

std::vector<FlagInfo> FlagsOf(const CommandInfo& command) {
  std::vector<FlagInfo> flags = command.flags;
  flags.insert(flags.end(), command.shared_flags.begin(), command.shared_flags.end());
  return flags;
}

std::vector<std::string> NamesOf(const CommandInfo& command) {
  std::vector<std::string> names{command.name};
  names.insert(names.end(), command.aliases.begin(), command.aliases.end());
  return names;
}

// The allowed values by name of the flag; empty: any value.  Flags without a value are not
// included.
std::map<std::string, std::vector<std::string>> ValuesByFlag(const CommandInfo& program) {
  std::map<std::string, std::vector<std::string>> values;
  for (const CommandInfo* command : AllCommands(program))
    for (const FlagInfo& flag : command->flags)
      if (!flag.value.empty())
        for (const std::string& name : flag.names) values[name] = flag.choices;
  return values;
}

// The values of choices such as "verdict=Keep" by their key.  For readline, "=" ends a word, so the
// key is the word before the cursor.
std::map<std::string, std::vector<std::string>> ValuesByKey(const CommandInfo& program) {
  std::map<std::string, std::vector<std::string>> values;
  for (const auto& [name, choices] : ValuesByFlag(program))
    for (const std::string& choice : choices)
      if (const auto end = choice.find('='); end != std::string::npos)
        values[choice.substr(0, end)].push_back(choice.substr(end + 1));
  return values;
}

std::string FlagsWithValue(const CommandInfo& program, const std::string& between) {
  std::vector<std::string> names;
  for (const auto& [name, choices] : ValuesByFlag(program)) names.push_back(name);
  return Join(names, between);
}

// The allowed values of positional arguments.
std::vector<std::string> ArgumentWords(const CommandInfo& command) {
  std::vector<std::string> words;
  for (const FlagInfo& argument : command.arguments)
    words.insert(words.end(), argument.choices.begin(), argument.choices.end());
  return words;
}

// Each word that leads from a command to one below it, as PARENT/WORD, with the path of the latter.
std::vector<std::pair<std::string, std::string>> Steps(const CommandInfo& program) {
  std::vector<std::pair<std::string, std::string>> steps;
  for (const CommandInfo* command : AllCommands(program)) {
    if (command->path.empty()) continue;
    const auto blank = command->path.rfind(' ');
    const std::string above =
        (blank == std::string::npos ? std::string() : command->path.substr(0, blank)) + "/";
    for (const std::string& name : NamesOf(*command))
      steps.emplace_back(above + name, command->path);
  }
  return steps;
}

// The loop for bash and zsh that finds the command in the words before the cursor.
std::string FindCommand(const CommandInfo& program, const std::string& word_at,
                        const std::string& first, const std::string& end) {
  std::string text = "  for ((i = " + first + "; i < " + end + "; i++)); do\n    word=" + word_at +
                     "\n    case \"$command/$word\" in\n      */" +
                     FlagsWithValue(program, " | */") + ") ((i++)) ;;\n";
  for (const auto& [step, path] : Steps(program))
    text.append("      '").append(step).append("') command='").append(path).append("' ;;\n");
  return text + "    esac\n  done\n";
}

// A word and its help for _describe of zsh, separated by a colon.
std::string Described(const std::string& word, const std::string& help) {
  std::string escaped;
  for (const char c : word) escaped += (c == ':' ? "\\" : "") + std::string(1, c);
  return " " + QuotedAs(escaped + ":" + FirstSentence(help), "'\\''");
}

}  // namespace

std::string BashCompletion(const CommandInfo& program) {
  std::string text = R"(# bash completion for imagesweep

_imagesweep() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command='' words='' word i
  # readline splits --flag=value into three words
  if [[ $cur == = ]]; then
    cur=''
  elif [[ $prev == = ]] && ((COMP_CWORD > 1)); then
    prev=${COMP_WORDS[COMP_CWORD-2]}
  fi
)" + FindCommand(program, "${COMP_WORDS[i]}", "1", "COMP_CWORD") +
                     "  case \"$prev\" in\n";
  for (const auto& [name, choices] : ValuesByFlag(program))
    if (!choices.empty()) text += "    " + name + ") words='" + Join(choices, " ") + "' ;;\n";
  for (const auto& [key, values] : ValuesByKey(program))
    text += "    " + key + ") words='" + Join(values, " ") + "' ;;\n";
  text +=
      "    " + FlagsWithValue(program, " | ") +
      ") COMPREPLY=(); return ;;  # the shell offers files\n    *)\n      case \"$command\" in\n";
  for (const CommandInfo* command : AllCommands(program)) {
    std::vector<std::string> words = ArgumentWords(*command);
    for (const CommandInfo& sub : command->commands)
      for (const std::string& name : NamesOf(sub)) words.push_back(name);
    for (const FlagInfo& flag : FlagsOf(*command))
      words.insert(words.end(), flag.names.begin(), flag.names.end());
    text += "        '" + command->path + "') words='" + Join(words, " ") + "' ;;\n";
  }
  return text + R"(      esac
      ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}

complete -o default -F _imagesweep imagesweep
)";
}

std::string ZshCompletion(const CommandInfo& program) {
  std::string text = R"(#compdef imagesweep

_imagesweep() {
  local command='' word i
  local -a found
)" + FindCommand(program, "${words[i]}", "2", "CURRENT") +
                     "  case \"${words[CURRENT-1]}\" in\n";
  for (const auto& [name, choices] : ValuesByFlag(program))
    if (!choices.empty())
      text += "    " + name + ") compadd " + Join(choices, " ") + "; return ;;\n";
  text += "    " + FlagsWithValue(program, " | ") +
          ") _files; return ;;\n  esac\n  case \"$command\" in\n";
  for (const CommandInfo* command : AllCommands(program)) {
    text += "    '" + command->path + "') found=(";
    for (const std::string& word : ArgumentWords(*command)) text += " " + word;
    for (const CommandInfo& sub : command->commands)
      for (const std::string& name : NamesOf(sub)) text += Described(name, sub.help);
    for (const FlagInfo& flag : FlagsOf(*command))
      for (const std::string& name : flag.names) text += Described(name, flag.help);
    text += " ) ;;\n";
  }
  return text + R"(  esac
  _describe 'imagesweep' found || _files
}

# Loaded from $fpath, this file is the function. With `source`, it defines the function.
if [[ ${funcstack[1]} == _imagesweep ]]; then
  _imagesweep "$@"
else
  compdef _imagesweep imagesweep
fi
)";
}

std::string FishCompletion(const CommandInfo& program) {
  std::string text = R"(# fish completion for imagesweep

function __imagesweep_at
    set -l found ''
    set -l skip no
    for word in (commandline -opc)[2..-1]
        if test $skip = yes
            set skip no
            continue
        end
        switch "$found/$word"
            case '*/)" +
                     FlagsWithValue(program, "' '*/") + "'\n                set skip yes\n";
  for (const auto& [step, path] : Steps(program))
    text.append("            case '")
        .append(step)
        .append("'\n                set found '")
        .append(path)
        .append("'\n");
  text += "        end\n    end\n    test \"$found\" = \"$argv\"\nend\n\n";
  for (const CommandInfo* command : AllCommands(program)) {
    const std::string line =
        "complete -c imagesweep -n \"__imagesweep_at '" + command->path + "'\"";
    for (const CommandInfo& sub : command->commands)
      for (const std::string& name : NamesOf(sub))
        text.append(line)
            .append(" -f -a ")
            .append(name)
            .append(" -d ")
            .append(QuotedAs(FirstSentence(sub.help), "\\'"))
            .append("\n");
    if (const auto words = ArgumentWords(*command); !words.empty())
      text += line + " -f -a '" + Join(words, " ") + "'\n";
    for (const FlagInfo& flag : FlagsOf(*command)) {
      text += line;
      for (const std::string& name : flag.names)
        text += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
      if (!flag.value.empty())
        text += flag.choices.empty() ? " -r" : " -x -a '" + Join(flag.choices, " ") + "'";
      text += " -d " + QuotedAs(FirstSentence(flag.help), "\\'") + "\n";
    }
  }
  return text;
}

}  // namespace imagesweep
