#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "agent/report/render/table.h"

namespace imagesweep {

// The content of a document for people, independent of its format.
struct Page {
  struct Paragraph {
    std::string text;
  };
  struct Grid {
    std::vector<std::string> header;
    std::vector<std::vector<std::string>> rows;
    TableFit fit = {};  // on a terminal
  };
  struct Bullets {
    std::vector<std::string> items;
  };
  struct Code {
    std::string language;  // "sh", "yaml"
    std::string text;
  };
  using Block = std::variant<Paragraph, Grid, Bullets, Code>;
  struct Section {
    std::string title;
    std::vector<Block> blocks;
  };

  std::string title;
  std::vector<Block> head;
  std::vector<Section> sections;
};

// GitHub-flavoured Markdown.  Escapes text, so that it cannot become markup.
std::string ToMarkdown(const Page& page);
// For a terminal that is `width` wide; 0: no limit.  Only tables depend on the width.
std::string ToText(const Page& page, std::size_t width = 0);

// A section of these blocks, in this order.
template <typename... Blocks>
Page::Section SectionOf(std::string title, Blocks... blocks) {
  Page::Section section{std::move(title), {}};
  (section.blocks.emplace_back(std::move(blocks)), ...);
  return section;
}

}  // namespace imagesweep
