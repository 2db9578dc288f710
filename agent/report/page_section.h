#pragma once

#include <string>
#include <utility>

#include "agent/report/page.h"

namespace imagesweep {

// A section of these blocks, in this order.
template <typename... Blocks>
Page::Section SectionOf(std::string title, Blocks... blocks) {
  Page::Section section{std::move(title), {}};
  (section.blocks.emplace_back(std::move(blocks)), ...);
  return section;
}

}  // namespace imagesweep
