#include "agent/report/render/table.h"

#include <algorithm>

#include "agent/report/render/printable.h"

namespace imagesweep {
namespace {

// The width on a terminal: UTF-8 continuation bytes have no width.
std::size_t Width(const std::string& text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

}  // namespace

void Table::Add(std::vector<std::string> row) {
  row.resize(header_.size());
  for (std::string& cell : row) cell = cell.empty() ? "-" : Printable(cell);
  rows_.push_back(std::move(row));
}

std::string Table::Render(bool with_header) const {
  std::vector<const std::vector<std::string>*> lines;
  if (with_header) lines.push_back(&header_);
  for (const auto& row : rows_) lines.push_back(&row);
  std::vector<std::size_t> widths(header_.size());
  for (const auto* line : lines)
    for (std::size_t i = 0; i < widths.size(); ++i)
      widths[i] = std::max(widths[i], Width((*line)[i]));
  std::string text;
  for (const auto* line : lines) {
    for (std::size_t i = 0; i < widths.size(); ++i) {
      text += (*line)[i];
      if (i + 1 < widths.size()) text.append(widths[i] - Width((*line)[i]) + 2, ' ');
    }
    text += '\n';
  }
  return text;
}

}  // namespace imagesweep
