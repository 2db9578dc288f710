#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace imagesweep {

// Aligned columns of text, two spaces apart, as kubectl prints them.  Makes cells printable.
class Table {
 public:
  explicit Table(std::vector<std::string> header) : header_(std::move(header)) {}
  // Missing cells are empty; an empty cell prints as "-".
  void Add(std::vector<std::string> row);
  std::string Render(bool with_header = true) const;
  std::size_t rows() const { return rows_.size(); }

 private:
  std::vector<std::string> header_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace imagesweep
