#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace imagesweep {

// How a table becomes narrow enough for a terminal.
struct TableFit {
  std::vector<std::string> omit = {};  // columns that it may omit, least important first
  std::string cut = {};                // the column with free text, whose cells it may cut
};

// Aligned columns of text, two spaces apart, as kubectl prints them.  Makes cells printable.
class Table {
 public:
  explicit Table(std::vector<std::string> header, TableFit fit = {})
      : header_(std::move(header)), fit_(std::move(fit)) {}
  // Missing cells are empty; an empty cell prints as "-".
  void Add(std::vector<std::string> row);
  // Omits columns until a line has at most `width` columns of the terminal, then cuts free text
  // with "…".  Other columns are never cut, so a line can still be wider.  0: no limit.
  std::string Render(bool with_header = true, std::size_t width = 0) const;
  std::size_t rows() const { return rows_.size(); }

 private:
  void Fit(std::size_t width, std::vector<std::size_t>& columns,
           std::vector<std::size_t>& widths) const;

  std::vector<std::string> header_;
  TableFit fit_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace imagesweep
