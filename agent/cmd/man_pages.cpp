#include "agent/cmd/man_pages.h"

#include <algorithm>
#include <string_view>

namespace imagesweep {
namespace {

std::string Upper(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

// Text that roff prints as it stands: no request, no escape, and ASCII hyphens.
std::string Escaped(std::string_view text) {
  std::string escaped;
  if (text.starts_with('.') || text.starts_with('\'')) escaped = "\\&";
  for (const char c : text) {
    if (c == '\\')
      escaped += "\\e";
    else if (c == '-')
      escaped += "\\-";
    else if (c == '`')
      escaped += "\\(ga";
    else if (c == '\'')
      escaped += "\\(aq";
    else
      escaped += c;
  }
  return escaped;
}

std::string Bold(const std::string& text) {
  return "\\fB" + Escaped(text) + "\\fR";
}

std::string Italic(const std::string& text) {
  return "\\fI" + Escaped(text) + "\\fR";
}

std::string PageName(const CommandInfo& command) {
  std::string name = command.path.empty() ? command.name : "imagesweep " + command.path;
  std::ranges::replace(name, ' ', '-');
  return name;
}

void AddLines(std::string_view text, std::string& page) {
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    if (end > 0) page += Escaped(text.substr(0, end)) + "\n";
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

void AddFlags(const char* title, const std::vector<FlagInfo>& flags, std::string& page) {
  if (flags.empty()) return;
  page += std::string(".SH ") + title + "\n";
  for (const FlagInfo& flag : flags) {
    page += ".TP\n";
    std::string names;
    for (const std::string& name : flag.names) names += (names.empty() ? "" : ", ") + Bold(name);
    page += names;
    if (!flag.value.empty() && flag.names.front().starts_with('-'))
      page += " " + Italic(flag.value);
    page += '\n';
    AddLines(flag.help, page);
    if (!flag.environment.empty())
      page += "Environment variable: " + Bold(flag.environment) + ".\n";
  }
}

// What a footer says before its first title ("Examples:").
std::string_view NotesOf(std::string_view footer) {
  return footer.substr(0, footer.find("Examples:\n"));
}

// Each title of a footer becomes a section with the indented lines below it as they are.
void AddSections(std::string_view sections, std::string& page) {
  bool open = false;
  while (!sections.empty()) {
    const auto end = std::min(sections.find('\n'), sections.size());
    const std::string_view line = sections.substr(0, end);
    sections.remove_prefix(std::min(end + 1, sections.size()));
    if (!line.starts_with(' ') && line.ends_with(':')) {
      page += std::string(open ? ".fi\n" : "") + ".SH " +
              Upper(Escaped(line.substr(0, line.size() - 1))) + "\n.nf\n";
      open = true;
    } else if (open && line.starts_with(' ')) {
      page += Escaped(line) + "\n";
    }
  }
  if (open) page += ".fi\n";
}

std::string PageOf(const CommandInfo& command, const std::string& version) {
  const std::string name = PageName(command);
  std::string page = ".TH " + Upper(Escaped(name)) + " 1 \"\" \"imagesweep " + Escaped(version) +
                     "\" \"imagesweep\"\n.SH NAME\n" + Escaped(name) + " \\- " +
                     Escaped(FirstSentence(command.help)) + "\n.SH SYNOPSIS\n" +
                     Bold("imagesweep" + (command.path.empty() ? "" : " " + command.path));
  if (!command.commands.empty()) page += " " + Italic("COMMAND");
  page += " [" + Italic("FLAGS") + "]";
  for (const FlagInfo& argument : command.arguments) page += " " + Italic(argument.names.front());
  page += "\n.SH DESCRIPTION\n";
  AddLines(command.help, page);
  const std::string_view notes = NotesOf(command.footer);
  if (!notes.empty()) page += ".PP\n";
  AddLines(notes, page);
  if (!command.commands.empty()) page += ".SH COMMANDS\n";
  for (const CommandInfo& sub : command.commands) {
    page += ".TP\n" + Bold(sub.name) + "\n";
    AddLines(sub.help, page);
  }
  AddFlags("ARGUMENTS", command.arguments, page);
  AddFlags("OPTIONS", command.flags, page);
  AddFlags("SHARED OPTIONS", command.shared_flags, page);
  AddSections(std::string_view(command.footer).substr(notes.size()), page);
  page += ".SH SEE ALSO\n";
  if (command.path.empty())
    for (const CommandInfo& sub : command.commands) page += Bold(PageName(sub)) + "(1)\n";
  else
    page += Bold("imagesweep") + "(1)\n";
  return page;
}

}  // namespace

std::vector<ManPage> ManPages(const CommandInfo& program, const std::string& version) {
  std::vector<ManPage> pages;
  for (const CommandInfo* command : AllCommands(program))
    pages.push_back({PageName(*command), PageOf(*command, version)});
  return pages;
}

}  // namespace imagesweep
