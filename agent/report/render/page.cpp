#include "agent/report/render/page.h"

#include <algorithm>

#include "agent/report/render/printable.h"
#include "agent/report/render/table.h"

namespace imagesweep {
namespace {

template <typename... Visitors>
struct Overloaded : Visitors... {
  using Visitors::operator()...;
};
template <typename... Visitors>
Overloaded(Visitors...) -> Overloaded<Visitors...>;

std::string Escaped(std::string_view text) {
  std::string escaped;
  for (const char c : Printable(text)) {
    if (std::string_view("\\`*_[]<>|#").find(c) != std::string_view::npos) escaped += '\\';
    escaped += c;
  }
  return escaped;
}

std::string MarkdownRow(const std::vector<std::string>& cells) {
  std::string row = "|";
  for (const std::string& cell : cells) row += " " + Escaped(cell) + " |";
  return row + "\n";
}

// A fence longer than any in the text.
std::string Fence(std::string_view text) {
  std::string fence = "```";
  while (text.find(fence) != std::string_view::npos) fence += '`';
  return fence;
}

// Line by line, so that only line breaks stay unescaped.
std::string PrintableLines(std::string_view text, std::string_view indent) {
  std::string lines;
  while (!text.empty()) {
    const auto end = text.find('\n');
    lines += std::string(indent) + Printable(text.substr(0, end)) + "\n";
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return lines;
}

std::string Markdown(const Page::Block& block) {
  return std::visit(
      Overloaded{
          [](const Page::Paragraph& paragraph) { return Escaped(paragraph.text) + "\n"; },
          [](const Page::Grid& grid) {
            std::string text = MarkdownRow(grid.header) + "|";
            for (std::size_t i = 0; i < grid.header.size(); ++i) text += " --- |";
            text += '\n';
            for (const auto& row : grid.rows) text += MarkdownRow(row);
            return text;
          },
          [](const Page::Bullets& bullets) {
            std::string text;
            for (const std::string& item : bullets.items) text += "- " + Escaped(item) + "\n";
            return text;
          },
          [](const Page::Code& code) {
            const std::string fence = Fence(code.text);
            return fence + code.language + "\n" + PrintableLines(code.text, "") + fence + "\n";
          },
      },
      block);
}

std::string Plain(const Page::Block& block, std::size_t width) {
  return std::visit(
      Overloaded{
          [](const Page::Paragraph& paragraph) { return Printable(paragraph.text) + "\n"; },
          [width](const Page::Grid& grid) {
            Table table(grid.header, grid.fit);
            for (const auto& row : grid.rows) table.Add(row);
            return table.Render(/*with_header=*/true, width);
          },
          [](const Page::Bullets& bullets) {
            std::string text;
            for (const std::string& item : bullets.items) text += "  - " + Printable(item) + "\n";
            return text;
          },
          [](const Page::Code& code) { return PrintableLines(code.text, "    "); },
      },
      block);
}

}  // namespace

std::string ToMarkdown(const Page& page) {
  std::string text = "# " + Escaped(page.title) + "\n";
  for (const auto& block : page.head) text += "\n" + Markdown(block);
  for (const auto& section : page.sections) {
    text += "\n## " + Escaped(section.title) + "\n";
    for (const auto& block : section.blocks) text += "\n" + Markdown(block);
  }
  return text;
}

std::string ToText(const Page& page, std::size_t width) {
  const auto underlined = [](std::string_view title, char line) {
    const std::string shown = Printable(title);
    return shown + "\n" + std::string(shown.size(), line) + "\n";
  };
  std::string text = underlined(page.title, '=');
  for (const auto& block : page.head) text += "\n" + Plain(block, width);
  for (const auto& section : page.sections) {
    text += "\n" + underlined(section.title, '-');
    for (const auto& block : section.blocks) text += Plain(block, width);
  }
  return text;
}

}  // namespace imagesweep
