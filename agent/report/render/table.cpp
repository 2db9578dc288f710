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

constexpr std::size_t kGap = 2;
// Below this width, free text says too little, so columns are omitted before.
constexpr std::size_t kLeastText = 24;

// At most `width` wide; ends with "…" if something is missing.
std::string Cut(const std::string& text, std::size_t width) {
  if (Width(text) <= width) return text;
  std::size_t end = 0;
  for (std::size_t left = width; end < text.size(); ++end)
    if ((static_cast<unsigned char>(text[end]) & 0xC0) != 0x80 && left-- == 1) break;
  return text.substr(0, end) + "\u2026";
}

}  // namespace

void Table::Add(std::vector<std::string> row) {
  row.resize(header_.size());
  for (std::string& cell : row) cell = cell.empty() ? "-" : Printable(cell);
  rows_.push_back(std::move(row));
}

void Table::Fit(std::size_t width, std::vector<std::size_t>& columns,
                std::vector<std::size_t>& widths) const {
  const auto column = [&](const std::string& name) {
    return static_cast<std::size_t>(std::ranges::find(header_, name) - header_.begin());
  };
  const std::size_t text = column(fit_.cut);  // the number of columns if there is none
  const auto line = [&](std::size_t most_text) {
    std::size_t sum = kGap * (columns.size() - 1);
    for (const std::size_t at : columns)
      sum += at == text ? std::min(widths[at], most_text) : widths[at];
    return sum;
  };
  for (const std::string& name : fit_.omit) {
    if (line(kLeastText) <= width) break;
    std::erase(columns, column(name));
  }
  if (text == header_.size() || line(widths[text]) <= width) return;
  const std::size_t others = line(0);
  widths[text] = std::max(Width(header_[text]), width > others ? width - others : 0);
}

std::string Table::Render(bool with_header, std::size_t width) const {
  std::vector<const std::vector<std::string>*> lines;
  if (with_header) lines.push_back(&header_);
  for (const auto& row : rows_) lines.push_back(&row);
  std::vector<std::size_t> columns(header_.size());
  std::vector<std::size_t> widths(header_.size());
  for (std::size_t i = 0; i < widths.size(); ++i) {
    columns[i] = i;
    for (const auto* line : lines) widths[i] = std::max(widths[i], Width((*line)[i]));
  }
  if (width > 0) Fit(width, columns, widths);
  std::string text;
  for (const auto* line : lines) {
    for (const std::size_t i : columns) {
      const std::string cell = Cut((*line)[i], widths[i]);
      text += cell;
      if (i != columns.back()) text.append(widths[i] - Width(cell) + kGap, ' ');
    }
    text += '\n';
  }
  return text;
}

}  // namespace imagesweep
